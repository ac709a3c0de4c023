import { type BitcoinView, fromHex, type GenesisAccount, type Hex, hashHeader, toHex } from '@hemid/protocol';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import fc from 'fast-check';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandbox, decodeUserTransaction, openBlockExecution, simulate } from '../src/index.ts';
import { analyseCode } from '../src/inline/code-analysis.ts';
import { compileRegion, type Region } from '../src/inline/compile.ts';
import { callInline } from '../src/inline/inline-call.ts';
import { createLab } from './lab.ts';

let network: TestNetwork;
let view: BitcoinView;
beforeAll(async () => {
  network = await createTestNetwork();
  const { chain } = network.sequencer.node;
  view = chain.viewAt(chain.head('latest'));
});
afterAll(() => network.close());

const signer = mnemonicToAccount('test test test test test test test test test test test junk');
const SENDER = signer.address.toLowerCase() as Hex;
const BENEFICIARY: Hex = `0x${'be'.repeat(20)}`;
const CONTRACTS = [1, 2, 3].map((n): Hex => `0x${'c0'.repeat(19)}0${n}`);
const EMPTY_HANDED: Hex = `0x${'51'.repeat(20)}`;
const byte = (n: number): string => n.toString(16).padStart(2, '0');
const push = (word: bigint): string => {
  const digits = word.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return byte(0x5f + even.length / 2) + even;
};

const target = fc.constantFrom(...CONTRACTS, ...CONTRACTS, EMPTY_HANDED, SENDER, BENEFICIARY, `0x${'00'.repeat(19)}04`, `0x${'00'.repeat(19)}44`);
const small = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt(0n, 100n) },
  { weight: 1, arbitrary: fc.constantFrom(2n ** 32n + 1n, 2n ** 255n, 2n ** 256n - 1n) },
);
const word = fc.oneof(small, fc.bigInt(0n, 2n ** 256n - 1n), fc.constantFrom(0n, 1n, 2n ** 255n, 2n ** 256n - 1n, 2n ** 128n));

/** A word that is not known before the code runs: CALLVALUE, which is mostly zero, is added to it. */
const veiled = (one: bigint): string => `${push(one)}3401`;
/** An opcode behind its operands, the top of the stack last; some of them are veiled. */
const step = (opcode: fc.Arbitrary<number>, ...operands: fc.Arbitrary<bigint>[]): fc.Arbitrary<string> =>
  fc
    .tuple(opcode, fc.nat(255), ...operands)
    .map(([op, veils, ...words]) => words.map((one, i) => ((veils >> i) & 1 ? veiled(one) : push(one))).join('') + byte(op));
const one = (...opcodes: number[]): fc.Arbitrary<number> => fc.constantFrom(...opcodes);
const slot = fc.bigInt(0n, 3n);
const length = fc.oneof({ weight: 9, arbitrary: fc.bigInt(0n, 80n) }, { weight: 1, arbitrary: small });
const gas = fc.oneof(fc.constantFrom(0n, 3000n, 50_000n, 2n ** 256n - 1n), fc.bigInt(0n, 100_000n));
const address = target.map((hex) => BigInt(hex));

/** What programs are made of: single opcodes, most with operands of their own, so that they go on for a while. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: step(
      fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1c, 0x1d),
      word,
      word,
    ),
  },
  { weight: 1, arbitrary: step(one(8, 9), word, word, word) },
  { weight: 2, arbitrary: step(one(0x15, 0x19, 0x1e, 0x35), word) },
  { weight: 2, arbitrary: step(one(0x20), length, small) },
  {
    weight: 3,
    arbitrary: step(one(0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x58, 0x59, 0x5a, 0x5f)),
  },
  { weight: 2, arbitrary: step(one(0x31, 0x3b, 0x3f), address) },
  { weight: 2, arbitrary: step(one(0x37, 0x39, 0x3e, 0x5e), length, small, small) },
  { weight: 1, arbitrary: step(one(0x3c), length, small, small, address) },
  { weight: 2, arbitrary: step(one(0x51), small) },
  { weight: 3, arbitrary: step(one(0x52, 0x53), word, small) },
  { weight: 3, arbitrary: step(one(0x54, 0x5c), slot) },
  { weight: 8, arbitrary: step(one(0x55, 0x55, 0x5d), fc.oneof(slot, slot, slot, word), fc.bigInt(0n, 1n)) },
  { weight: 2, arbitrary: step(one(0xa0), length, small) },
  { weight: 1, arbitrary: step(one(0xa2), word, word, length, small) },
  { weight: 4, arbitrary: step(one(0xf1), length, small, length, small, fc.oneof(fc.constant(0n), small), address, gas) },
  { weight: 4, arbitrary: step(one(0xf4, 0xfa), length, small, length, small, address, gas) },
  // What was found is kept, where it is seen: in memory, in storage.
  { weight: 10, arbitrary: fc.constantFrom('5f52', '602052', '604052', '600255', '600355') },
  { weight: 2, arbitrary: fc.integer({ min: 0x50, max: 0x9f }).map(byte) },
  { weight: 6, arbitrary: fc.constantFrom(0x80, 0x81, 0x82, 0x90, 0x91, 0x92).map(byte) },
  { weight: 1, arbitrary: step(one(0xf3, 0xfd), length, small) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map(byte) },
);

/** Code of which places are not known yet: digits, a JUMPDEST with a name, two bytes that say where that is. */
type Part = string | { mark: string } | { to: string };

function locate(parts: readonly Part[]): Uint8Array {
  const places = new Map<string, string>();
  let at = 0;
  for (const part of parts) {
    if (typeof part !== 'string' && 'mark' in part) places.set(part.mark, at.toString(16).padStart(4, '0'));
    at += typeof part === 'string' ? part.length / 2 : 'mark' in part ? 1 : 2;
  }
  return fromHex(`0x${parts.map((part) => (typeof part === 'string' ? part : 'mark' in part ? '5b' : places.get(part.to))).join('')}`);
}

/** Pieces; some of them jumped over, or not; functions that are called, and return what they were given three times. */
const winding = fc.oneof(
  { weight: 8, arbitrary: piece.map((text) => (): Part[] => [text]) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.bigInt(0n, 1n), fc.array(piece, { maxLength: 4 })).map(([taken, inner]) => (name: string): Part[] => {
      return [`${push(taken)}61`, { to: `${name}over` }, '57', ...inner, { mark: `${name}over` }];
    }),
  },
  {
    weight: 2,
    // A destination that is not known before ends a compiled region, and so does PC, while words lie elsewhere than at first.
    arbitrary: fc.tuple(word, fc.constantFrom('', '3401'), fc.constantFrom('', '5850')).map(([given, veil, end]) => (name: string): Part[] => {
      const body: Part[] = [{ mark: `${name}body` }, `90${end}6003029056`];
      const call: Part[] = [`${push(given)}61`, { to: `${name}back` }, '61', { to: `${name}body` }, `${veil}56`, { mark: `${name}back` }];
      return ['61', { to: `${name}over` }, `${veil}56`, ...body, { mark: `${name}over` }, ...call];
    }),
  },
);

/** Such pieces, and loops of some of them: JUMPDEST, a counter in a slot of memory, JUMPI back. */
const program = fc.tuple(fc.array(winding, { minLength: 1, maxLength: 25 }), fc.constantFrom('', '', '60605ffd', '60605ff3')).chain(([pieces, end]) =>
  fc.integer({ min: 0, max: 3 }).map((rounds): Uint8Array => {
    const body = pieces.flatMap((piece, i) => piece(`${i}`));
    if (rounds === 0) return locate([...body, end]);
    // mem[0x200] counts: back to the JUMPDEST at 0 until it has gone round often enough.
    return locate(['5b', ...body, `610200516001018061020052${push(BigInt(rounds))}11600057${end}`]);
  }),
);

const scenes = fc.record({
  programs: fc.tuple(program, program, program),
  /** Compiled at once, a little later, or not at all. */
  hotAt: fc.constantFrom<number>(1, 2, 255),
  stored: fc.array(fc.bigInt(0n, 2n), { minLength: 3, maxLength: 3 }),
  calls: fc.array(
    fc.record({
      to: fc.constantFrom(...CONTRACTS),
      value: fc.constantFrom(0n, 0n, 1n, 10n ** 15n),
      data: fc.uint8Array({ maxLength: 70 }),
      gas: fc.oneof({ weight: 4, arbitrary: fc.bigInt(100_000n, 400_000n) }, { weight: 1, arbitrary: fc.bigInt(21_000n, 60_000n) }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

type Scene = typeof scenes extends fc.Arbitrary<infer One> ? One : never;
type Lab = Awaited<ReturnType<typeof createLab>>;

const RUNS = process.env['HEMID_LONG'] === undefined ? 1_000 : 40_000;

/** A chain of the three programs, each with two slots that hold something. */
async function labOf({ programs, stored, hotAt }: Pick<Scene, 'programs' | 'stored' | 'hotAt'>): Promise<Lab> {
  const contracts = CONTRACTS.map((contract, i): [Hex, GenesisAccount] => {
    const storage = Object.fromEntries(
      [0, 1].map((n) => [`0x${byte(n).padStart(64, '0')}`, fromHex(`0x${(stored[i] ?? 0n).toString(16).padStart(64, '0')}`)]),
    );
    return [contract, { nonce: 1, balance: 1000n, code: programs[i] as Uint8Array, storage } as never];
  });
  const allocation = Object.fromEntries([[SENDER, { balance: 10n ** 21n }], ...contracts]) as Record<Hex, GenesisAccount>;
  const lab = await createLab(network.spec, { view, allocation });
  return { ...lab, deps: { ...lab.deps, hotAt } };
}

test(
  'random programs end inline as they do in the VM: receipts, logs, gas, every root',
  async () => {
    const base = network.spec;
    await fc.assert(
      fc.asyncProperty(scenes, async ({ calls, ...scene }) => {
        const lab = await labOf(scene);
        const parent = lab.head();
        const input = { parent, timestamp: parent.timestamp + 1n, beneficiary: fromHex(BENEFICIARY), ancestorHash: () => undefined };
        const inline = await openBlockExecution(lab.deps, input, view);
        const inVm = await openBlockExecution({ ...lab.deps, inline: 'off' }, input, view);
        for (const [nonce, { to, value, data, gas }] of calls.entries()) {
          const { chainId } = base.genesis;
          const request = {
            type: 'eip1559',
            chainId,
            nonce,
            to,
            value,
            data: toHex(data),
            gas,
            maxFeePerGas: 10n ** 10n,
            maxPriorityFeePerGas: 5n,
          } as const;
          const transaction = decodeUserTransaction(fromHex(await signer.signTransaction(request)), lab.deps.common);
          const attempt = (execution: typeof inline): Promise<unknown> => execution.user(transaction).catch((error: Error) => error.message);
          expect(await attempt(inline)).toEqual(await attempt(inVm));
        }
        const [a, b] = [await inline.finish(), await inVm.finish()];
        expect(toHex(a.hash)).toBe(toHex(b.hash));
        expect(a.diff).toEqual(b.diff);
      }),
      { numRuns: RUNS, seed: Number(process.env['HEMID_SEED'] ?? 20_261_120) },
    );
  },
  60_000 + RUNS * 200,
);

test('code that fills the stack ends as in the VM, compiled or not', async () => {
  // Each round leaves a word behind; mem[0] counts them.
  const filling = (rounds: number): Uint8Array => fromHex(`0x5b345f516001018060005261${rounds.toString(16).padStart(4, '0')}11600057`);
  for (const hotAt of [1, 255]) {
    for (const rounds of [1000, 1019, 1020, 1021, 1022, 1023, 1024]) {
      const lab = await labOf({ programs: [filling(rounds), filling(1), filling(1)], stored: [0n, 0n, 0n], hotAt });
      const at = { header: lab.head(), hash: hashHeader(lab.head()), view, ancestorHash: () => undefined };
      const message = {
        from: fromHex(SENDER),
        to: fromHex(CONTRACTS[0] as Hex),
        data: new Uint8Array(),
        value: 0n,
        gas: 400_000n,
        gasPrice: undefined,
      };
      const attempt = (deps: typeof lab.deps): Promise<unknown> => simulate(createSandbox(deps, at), message);
      expect(await attempt(lab.deps)).toEqual(await attempt({ ...lab.deps, inline: 'off' }));
      const inline = callInline(message, {
        common: lab.deps.common,
        source: lab.deps.states.source(at.hash),
        header: at.header,
        isPrecompile: () => false,
        gasLimit: message.gas,
        hotAt,
      });
      expect(inline?.succeeded).toBe(rounds <= 1021 ? true : undefined);
    }
  }
});

test('code that is hard to compile is compiled in part, within bounds, and ends as in the VM', async () => {
  const SIZE = 24_000;
  /** A piece again and again, each with the place of the next. */
  const repeat = (piece: (next: number) => number[], size: number): Uint8Array => {
    const code = new Uint8Array(SIZE);
    for (let at = 0; at + size < SIZE; at += size) code.set(piece(at + size), at);
    return code;
  };
  const twoBytes = (next: number): [number, number] => [next >> 8, next & 0xff];
  const hard = {
    jumps: repeat((next) => [0x5b, 0x61, ...twoBytes(next), 0x56], 5),
    // Both sides of each branch go on.
    branches: repeat((next) => [0x5b, 0x36, 0x61, ...twoBytes(next), 0x57, 0x5b], 7),
    // Much lies on the stack, and would be put there at the end of each side.
    deep: Uint8Array.from([
      ...new Uint8Array(60).fill(0x36),
      ...repeat((next) => [0x36, 0x61, ...twoBytes(next + 59), 0x57, 0x5b], 6).subarray(0, 20_000),
    ]),
    sums: new Uint8Array(SIZE).map((_, i) => (i % 2 === 0 ? 0x36 : i === 1 ? 0x80 : 0x01)),
  };
  for (const [name, code] of Object.entries(hard)) {
    const { cost, run } = compileRegion(analyseCode(code), 0, { coldBelow: 0, cost: 4_000 }) as Region;
    expect(cost).toBeLessThan(4_000 + 32 * 80);
    expect(String(run).length).toBeLessThan(400_000);
    const lab = await labOf({ programs: [code, code, code], stored: [0n, 0n, 0n], hotAt: 1 });
    const at = { header: lab.head(), hash: hashHeader(lab.head()), view, ancestorHash: () => undefined };
    for (const data of [new Uint8Array(), new Uint8Array(3)]) {
      const message = { from: fromHex(SENDER), to: fromHex(CONTRACTS[0] as Hex), data, value: 0n, gas: 400_000n, gasPrice: undefined };
      const attempt = (deps: typeof lab.deps): Promise<unknown> => simulate(createSandbox(deps, at), message);
      expect([name, await attempt(lab.deps)]).toEqual([name, await attempt({ ...lab.deps, inline: 'off' })]);
    }
  }
});

test(
  'random programs that are only called end inline as they do in the VM, whoever calls them',
  async () => {
    let ranInline = 0;
    const callers = fc.constantFrom(SENDER, EMPTY_HANDED, CONTRACTS[1] as Hex);
    await fc.assert(
      fc.asyncProperty(scenes, callers, async ({ calls, ...scene }, from) => {
        const lab = await labOf(scene);
        const at = { header: lab.head(), hash: hashHeader(lab.head()), view, ancestorHash: () => undefined };
        for (const { to, value, data, gas } of calls) {
          const message = { from: fromHex(from), to: fromHex(to), data, value: value === 1n ? 1n : 0n, gas, gasPrice: undefined };
          const attempt = (deps: typeof lab.deps): Promise<unknown> =>
            simulate(createSandbox(deps, at), message).catch((error: Error) => error.message);
          expect(await attempt(lab.deps)).toEqual(await attempt({ ...lab.deps, inline: 'off' }));
          const { common, states } = lab.deps;
          const place = { common, source: states.source(at.hash), header: at.header, isPrecompile: () => false, gasLimit: gas, hotAt: scene.hotAt };
          if (callInline(message, place) !== undefined) ranInline += 1;
        }
      }),
      { numRuns: RUNS / 4, seed: Number(process.env['HEMID_SEED'] ?? 20_261_120) },
    );
    expect(ranInline).toBeGreaterThan(RUNS / 20);
  },
  60_000 + RUNS * 200,
);
