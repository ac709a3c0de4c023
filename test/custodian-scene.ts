import { tunnel } from '@hemid/contracts';
import { devKey } from '@hemid/node';
import { fromHex, type Hex, TUNNEL_ADDRESS, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { type Logger, Secret, silentLogger } from '@hemid/runtime';
import { type BitcoinActor, publishKeystone, type TestNetwork, type User, type VerifierActor } from '@hemid/testkit';
import {
  type Bumper,
  type Custodian,
  type CustodianOptions,
  type CustodianPolicy,
  createCustodian,
  createHttpExchange,
  type PartialExchange,
  sortedMulti,
  type VaultHolder,
  type VaultKeys,
} from '@hemid/tunnel';
import { encodeFunctionData } from 'viem';

const SECRET = new Secret(new Uint8Array(32).fill(7));

/** A custodian beside its own verifier. */
export interface CustodianActor {
  verifier: VerifierActor;
  /** Lets the verifier catch up, then looks once; @returns what the custodian says. */
  tick(): Promise<string>;
  /** A crash, and a new start on the same disk. */
  restart(): void;
  /** When it signs; a change counts from the next restart on. */
  policy: CustodianPolicy;
  /** Pays more for batches that wait too long; counts from the next restart on. */
  bumper: Bumper | undefined;
  /** Why its operator has paused it. */
  pausedFor: string | undefined;
  /** The errors that it has logged: text and fields. */
  errors: string[];
  url: string;
  /** What it shows to the others. */
  exchange: PartialExchange;
  /** A restart as one who also holds a key of the vault `next custodian 1` … `3`; that of `custodian 1` … `3` is a former one. */
  rotate(): void;
  /** Nobody reaches it any more. */
  leave(): Promise<void>;
}

interface Membership {
  name: string;
  peers: string[];
  vault: VaultKeys;
}

async function createMember(network: TestNetwork, { name, peers, vault }: Membership): Promise<CustodianActor> {
  const verifier = await network.createVerifier();
  const exchange = createHttpExchange({ host: '127.0.0.1', port: 0, peers, secret: SECRET, timeoutMs: 5_000 });
  await exchange.start(new AbortController().signal);
  const failures: unknown[] = [];
  const errors: string[] = [];
  const error = (fields: object, text: string): void => void errors.push(`${text} ${JSON.stringify(fields)}`);
  const deps = {
    chain: verifier.node.chain,
    store: verifier.store,
    bitcoin: network.bitcoin.rpc,
    exchange,
    clock: network.clock,
    log: Object.assign(Object.create(silentLogger) as Logger, { error }),
    onFailure: (failure: unknown) => void failures.push(failure),
    paused: () => member.pausedFor,
  };
  const holderOf = (prefix: string, held: VaultKeys): VaultHolder => ({ vault: held, key: new Secret(devKey(`${prefix}${name}`).secret) });
  let holders: Pick<CustodianOptions, 'vault' | 'key' | 'former'> = holderOf('', vault);
  const create = (): Custodian =>
    createCustodian({ ...deps, ...(member.bumper && { bumper: member.bumper }) }, { ...holders, pollMs: 1_000, policy: member.policy });
  const member: CustodianActor = {
    verifier,
    errors,
    exchange,
    bumper: undefined,
    pausedFor: undefined,
    policy: { dailyLimitSats: undefined, largeSats: undefined, largeDelayBlocks: 0 },
    url: exchange.url(),
    async tick() {
      await verifier.sync();
      return custodian.tick();
    },
    restart() {
      custodian = create();
    },
    rotate() {
      holders = { ...holderOf('next ', devVault('next ')), former: [holderOf('', vault)] };
      custodian = create();
    },
    leave: async () => exchange.stop(),
  };
  let custodian = create();
  return member;
}

const devVault = (prefix = ''): VaultKeys =>
  sortedMulti(
    2,
    [1, 2, 3].map((i) => devKey(`${prefix}custodian ${i}`).publicKey),
  );

/** The three custodians of the dev spec's vault, or of another of their keys, who reach one another over real sockets. */
export async function createCustodians(network: TestNetwork, vault = devVault()): Promise<[CustodianActor, CustodianActor, CustodianActor]> {
  const peers: string[][] = [[], [], []];
  const members: Awaited<ReturnType<typeof createMember>>[] = [];
  for (const [i, list] of peers.entries()) members.push(await createMember(network, { name: `custodian ${i + 1}`, peers: list, vault }));
  for (const [i, list] of peers.entries()) list.push(...members.filter((_, k) => k !== i).map(({ url }) => url));
  return members as unknown as [CustodianActor, CustodianActor, CustodianActor];
}

/** Asks Tunnel to pay a script; @returns the hash of the L2 transaction, which waits for a block. */
export function requestWithdrawal(user: User, script: Uint8Array, sats: bigint): Promise<Hex> {
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(script)] });
  return user.send({ to: toHex(TUNNEL_ADDRESS), data, value: sats * WEI_PER_SAT });
}

/** Builds past the next deciding block to a keystone, publishes it and mines until it is super-final. */
export async function finalize({ sequencer, bitcoin }: TestNetwork): Promise<void> {
  const { chain } = sequencer.node;
  await sequencer.build(6);
  while (chain.head('latest').header.number % 5n !== 0n) await sequencer.build();
  await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
  await bitcoin.mineBlocks(11);
  await sequencer.build();
}

/** Every unspent payment to some scripts: script (hex) and sats, in any order. */
export async function paymentsTo({ rpc }: BitcoinActor, scripts: readonly Uint8Array[]): Promise<{ script: string; sats: number }[]> {
  const scan = (await rpc('scantxoutset', ['start', scripts.map((script) => `raw(${toDigits(script)})`)])) as {
    unspents: { amount: number; scriptPubKey: string }[];
  };
  return scan.unspents.map(({ amount, scriptPubKey }) => ({ script: scriptPubKey, sats: Math.round(amount * 1e8) }));
}

/** 20 bytes of a number, for addresses and scripts that differ. */
export const numbered = (byte: number, n: number): Uint8Array =>
  fromHex(`${byte.toString(16).padStart(2, '0').repeat(16)}${n.toString(16).padStart(8, '0')}`);
