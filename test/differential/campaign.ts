import { type Hex, toHex } from '@hemid/protocol';
import type { SeededRandom } from '@hemid/testkit';
import { getContractAddress, type Hex as ViemHex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { type Code, creationOf, DEEP, randomBytes, randomProgram, TOKEN } from './program.ts';

/** A transaction and what it is meant to try. */
export interface Trial {
  kind: string;
  raw: Hex;
}

export interface CampaignOptions {
  chainId: number;
  random: SeededRandom;
  /** Whether contracts may ask for what only two engines on the same headers answer alike. */
  isStrict: boolean;
}

/** What a campaign has to know before each block. */
export interface Sight {
  baseFee: bigint;
  /** Nonce of an account in the state. */
  nonce(address: Hex): Promise<bigint>;
}

/** Random transactions without end; the same ones for the same seed and the same answers. */
export interface Campaign {
  /** Addresses with money, for the genesis. */
  funded: readonly Hex[];
  /** Accounts and contracts that transactions went to. */
  known(): readonly Hex[];
  /** The next block's transactions. */
  next(sight: Sight): Promise<Trial[]>;
}

const SENDERS = 12;
const AUTHORITIES = 6;
const MAX_CONTRACTS = 60;
/** Arachnid's CREATE2 factory, as the development genesis has it. */
export const FACTORY: Hex = '0x4e59b44847b379578588920ca78fbf26c0b4956c';
export const FACTORY_CODE: Hex =
  '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3';

const hex = (code: Code): Hex => toHex(Uint8Array.from(code));
const keyOf = (name: number): ViemHex => `0x${(0xd1ff0000 + name).toString(16).padStart(64, '0')}`;
const pick = <T>(random: SeededRandom, list: readonly T[]): T => list[random.between(0, list.length - 1)] as T;
const word = (value: bigint | number): Hex => `0x${BigInt(value).toString(16).padStart(64, '0')}`;

/** Precompiles of Osaka that both engines have, and inputs that reach behind their first checks. */
function precompileInput(random: SeededRandom, address: number): Code {
  const zeros = (length: number): Code => new Array<number>(length).fill(0);
  const point = (): Code => pick(random, [zeros(64), [...zeros(31), 1, ...zeros(31), 2], randomBytes(random, 64)]);
  if (random.between(0, 5) === 0) return randomBytes(random, random.between(0, 300));
  if (address === 1) return [...randomBytes(random, 32), ...zeros(31), random.between(27, 28), ...randomBytes(random, 64)];
  if (address === 5) {
    const lengths = [random.between(0, 40), random.between(0, 4), random.between(0, 40)];
    return [
      ...lengths.flatMap((size) => [...zeros(31), size]),
      ...randomBytes(
        random,
        lengths.reduce((a, b) => a + b, 0),
      ),
    ];
  }
  if (address === 6) return [...point(), ...point()];
  if (address === 7) return [...point(), ...randomBytes(random, 32)];
  if (address === 8) return zeros(192 * random.between(0, 2));
  if (address === 9) return [...zeros(3), random.between(0, 40), ...randomBytes(random, 208), random.between(0, 2)];
  const lengths: Record<number, number> = { 11: 256, 12: 160, 13: 512, 14: 288, 15: 384, 16: 64, 17: 128, 256: 160 };
  const length = lengths[address];
  return length === undefined
    ? randomBytes(random, random.between(0, 200))
    : random.between(0, 1) === 0
      ? zeros(length)
      : randomBytes(random, length);
}

/** Without 0x0a, which needs a trusted setup. */
const PRECOMPILES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x100];

/** Creates the {@link Campaign} of a seed. */
export function createCampaign({ chainId, random, isStrict }: CampaignOptions): Campaign {
  const senders = Array.from({ length: SENDERS }, (_, i) => privateKeyToAccount(keyOf(i)));
  const authorities = Array.from({ length: AUTHORITIES }, (_, i) => privateKeyToAccount(keyOf(100 + i)));
  const lower = (account: PrivateKeyAccount): Hex => account.address.toLowerCase() as Hex;
  const contracts: Hex[] = [FACTORY];
  const tokens: Hex[] = [];
  const deep: Hex[] = [];
  let nonces = new Map<Hex, bigint>();
  let baseFee = 0n;

  const strangers = (): bigint => BigInt(random.between(0x10000, 0x10020));
  const addresses = (): bigint[] => [
    ...contracts.map(BigInt),
    ...[...senders, ...authorities].map((one) => BigInt(one.address)),
    ...PRECOMPILES.map(BigInt),
    strangers(),
  ];
  const address = (value: bigint): Hex => `0x${value.toString(16).padStart(40, '0')}`;
  const program = (): Code => randomProgram({ random, addresses: addresses(), isStrict });

  interface Wish {
    kind: string;
    to?: Hex;
    data?: Hex;
    value?: bigint;
    gas?: number;
    /** Added to the right nonce. */
    nonceShift?: number;
    authorizations?: number;
    keep?: Hex[];
  }

  function keep(list: Hex[], one: Hex): void {
    list.push(one);
    if (list.length > MAX_CONTRACTS) list.splice(1, 1);
  }

  const WISHES: [weight: number, () => Wish][] = [
    [
      6,
      () => ({
        kind: 'transfer',
        to: address(pick(random, addresses())),
        value: BigInt(random.between(0, 1_000_000)),
        gas: pick(random, [21_000, 100_000]),
      }),
    ],
    [
      8,
      () => ({
        kind: 'create',
        data: hex(creationOf(program())),
        value: BigInt(random.between(0, 50)),
        gas: pick(random, [3_000_000, 3_000_000, 80_000]),
        keep: contracts,
      }),
    ],
    [3, () => ({ kind: 'create-constructor', data: hex(program()), value: BigInt(random.between(0, 50)), gas: 2_000_000, keep: contracts })],
    [1, () => ({ kind: 'create-garbage', data: hex(randomBytes(random, random.between(1, 200))), gas: 300_000 })],
    [1, () => ({ kind: 'create-token', data: hex(TOKEN), gas: 1_000_000, keep: tokens })],
    [1, () => ({ kind: 'create-deep', data: hex(creationOf(DEEP)), gas: 1_000_000, keep: deep })],
    [
      5,
      () => {
        const amount = pick(random, [0n, 1n, BigInt(random.between(1, 1e9)), 10n ** 24n, 2n ** 255n]);
        const data = `0xa9059cbb${word(pick(random, addresses())).slice(2)}${word(amount).slice(2)}` as Hex;
        return { kind: 'token', to: tokens.at(-1) ?? FACTORY, data, gas: pick(random, [200_000, 45_000, 30_000]) };
      },
    ],
    [
      14,
      () => ({
        kind: 'call',
        to: pick(random, contracts),
        data: hex(randomBytes(random, pick(random, [0, 4, 32, 68, 100, 200]))),
        value: BigInt(random.between(0, 3) === 0 ? random.between(1, 100) : 0),
        gas: pick(random, [3_000_000, 1_000_000, 300_000, 100_000, 60_000, 30_000, 22_000]),
      }),
    ],
    [
      3,
      () => {
        const code = random.between(0, 3) === 0 ? hex(TOKEN) : hex(creationOf(program()));
        return { kind: 'create2', to: FACTORY, data: `${word(random.between(0, 3))}${code.slice(2)}` as Hex, gas: 3_000_000 };
      },
    ],
    [
      1,
      () => {
        // Looks like EOF, which no fork has: it is executed.
        const code = hex([0xef, 0x00, ...randomBytes(random, random.between(0, 100))]);
        return { kind: 'create2-eof', to: FACTORY, data: `${word(random.between(0, 3))}${code.slice(2)}` as Hex, gas: 500_000 };
      },
    ],
    [
      4,
      () => {
        const one = pick(random, PRECOMPILES);
        return {
          kind: 'precompile',
          to: address(BigInt(one)),
          data: hex(precompileInput(random, one)),
          gas: pick(random, [500_000, 60_000, 30_000]),
        };
      },
    ],
    [
      4,
      () => ({
        kind: 'authorise',
        to: lower(pick(random, [...authorities, ...senders])),
        data: hex(randomBytes(random, pick(random, [0, 32]))),
        gas: 1_500_000,
        authorizations: random.between(1, 4),
      }),
    ],
    [
      2,
      () => ({ kind: 'delegated', to: lower(pick(random, authorities)), data: hex(randomBytes(random, pick(random, [0, 32, 68]))), gas: 1_000_000 }),
    ],
    [
      1,
      () => {
        const bytes = randomBytes(random, random.between(1_000, 30_000)).map((byte) => (random.between(0, 1) === 0 ? 0 : byte));
        return { kind: 'big-calldata', to: address(pick(random, addresses())), data: hex(bytes), gas: pick(random, [3_000_000, 1_500_000]) };
      },
    ],
    [
      1,
      () => ({ kind: 'deep', to: deep.at(-1) ?? FACTORY, data: word(pick(random, [5, 60, 400, 1100])), gas: pick(random, [16_000_000, 3_000_000]) }),
    ],
    [1, () => ({ kind: 'bad-nonce', to: address(strangers()), gas: 21_000, nonceShift: isStrict ? pick(random, [-1, 1]) : -1 })],
    [1, () => ({ kind: 'too-little-gas', to: address(strangers()), data: '0x0102030405', gas: 21_010 })],
    [1, () => ({ kind: 'too-poor', to: address(strangers()), value: 10n ** 30n, gas: 21_000 })],
  ];
  const total = WISHES.reduce((sum, [weight]) => sum + weight, 0);

  function wish(): Wish {
    let at = random.between(0, total - 1);
    for (const [weight, make] of WISHES) {
      if (at < weight) return make();
      at -= weight;
    }
    throw new RangeError('the weights do not add up');
  }

  /** Right ones, and ones for another chain or with another nonce. */
  async function authorizationList(count: number, sight: Sight) {
    const list = [];
    for (let i = 0; i < count; i += 1) {
      const authority = pick(random, authorities);
      const shift = random.between(0, 5) === 0 ? 1 : 0;
      const nonce = Number(nonces.get(lower(authority)) ?? (await sight.nonce(lower(authority)))) + shift;
      const contractAddress = random.between(0, 6) === 0 ? address(0n) : pick(random, contracts);
      const onChain = pick(random, [chainId, chainId, chainId, 0, 1]);
      if (shift === 0 && onChain !== 1) nonces.set(lower(authority), BigInt(nonce) + 1n);
      list.push(await authority.signAuthorization({ contractAddress, chainId: onChain, nonce }));
    }
    return list;
  }

  const accessList = () =>
    Array.from({ length: random.between(0, 3) }, () => ({
      address: address(pick(random, addresses())),
      storageKeys: Array.from({ length: random.between(0, 4) }, () => word(random.between(0, 9))),
    }));

  async function sign(one: Wish, sight: Sight): Promise<Hex> {
    const account = pick(random, senders);
    const sender = lower(account);
    const right = nonces.get(sender) ?? (await sight.nonce(sender));
    const { to, data = '0x', value = 0n, gas = 100_000 } = one;
    // A pool would keep a nonce that is too high for later; one below zero there is not.
    const nonceShift = right === 0n ? 0 : (one.nonceShift ?? 0);
    const nonce = Number(right) + nonceShift;
    const isRefused = nonceShift !== 0 || one.kind === 'too-little-gas' || one.kind === 'too-poor';
    if (!isRefused) nonces.set(sender, right + 1n);
    if (one.keep !== undefined) keep(one.keep, getContractAddress({ from: account.address, nonce: right }).toLowerCase() as Hex);
    const common = { nonce, gas: BigInt(gas), value, data, ...(to === undefined ? {} : { to }) };
    const fees = { maxFeePerGas: baseFee * 2n + 1000n, maxPriorityFeePerGas: BigInt(random.between(0, 1000)) };
    const price = { gasPrice: baseFee + BigInt(random.between(0, 1000)) };
    if (one.authorizations !== undefined) {
      const list = await authorizationList(one.authorizations, sight);
      return account.signTransaction({ type: 'eip7702', chainId, ...common, ...fees, authorizationList: list, accessList: accessList() });
    }
    const type = random.between(0, 2);
    if (type === 0) return account.signTransaction({ type: 'legacy', chainId, ...common, ...price });
    if (type === 1) return account.signTransaction({ type: 'eip2930', chainId, ...common, ...price, accessList: accessList() });
    return account.signTransaction({ type: 'eip1559', chainId, ...common, ...fees, accessList: random.between(0, 1) === 0 ? [] : accessList() });
  }

  return {
    // anvil takes an empty account that was touched for one that exists, and refunds its authorisation (EIP-7702): there they have money.
    funded: (isStrict ? senders : [...senders, ...authorities]).map(lower),
    known: () => [...contracts, ...tokens, ...deep, ...senders.map(lower), ...authorities.map(lower)],
    async next(sight) {
      nonces = new Map();
      baseFee = sight.baseFee;
      const trials: Trial[] = [];
      // anvil's pool loses transactions of a block on their way: there each has its own.
      for (let left = isStrict ? random.between(1, 24) : 1; left > 0; left -= 1) {
        const one = wish();
        trials.push({ kind: one.kind, raw: await sign(one, sight) });
      }
      return trials;
    },
  };
}
