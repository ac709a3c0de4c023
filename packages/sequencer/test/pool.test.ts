import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { type ChainSpec, fromHex, type Hex, hashTransaction, isSystemEnvelope, type SealedBlock, type Sequencer, toHex } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { concat, keccak256, parseSignature, toHex as toHexNumber, toRlp } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBuilder, createPool, type Pool } from '../src/index.ts';
import { accountAt, addressAt, BALANCE, GWEI, type Request, refusal, SOMEONE, sign as signFor } from './signed.ts';

let network: TestNetwork;
let pool: Pool;
let spec: ChainSpec;
beforeEach(async () => {
  network = await createTestNetwork();
  ({ spec } = network);
  pool = network.sequencer.node.pool as Pool;
});
afterEach(() => network.close());

const sign = (index: number, request?: Request): Promise<Uint8Array> => signFor(spec.genesis.chainId, index, request);
const submit = async (index: number, request: Request = {}): Promise<Hex> => toHex(await pool.submit(await sign(index, request)));

const hashesOf = ({ block }: SealedBlock): Hex[] =>
  block.transactions.filter((raw) => !isSystemEnvelope(raw)).map((raw) => toHex(hashTransaction(raw)));

/** What a cursor gives, as hashes. */
function candidates(baseFee = 10_000_000n): Hex[] {
  const cursor = pool.candidates(baseFee);
  const all: Hex[] = [];
  for (let next = cursor.next(); next !== undefined; next = cursor.next()) all.push(toHex(next.hash));
  return all;
}

test('a transaction is refused in the words of geth', async () => {
  const raw = await sign(0);
  await pool.submit(raw);
  expect(await refusal(pool.submit(raw))).toBe('already known');
  await network.sequencer.build();
  expect(await refusal(submit(0, { value: 2n }))).toBe('nonce too low: next nonce 1, tx nonce 0');
  const cost = BALANCE + 21_000n * 10n * GWEI;
  expect(await refusal(submit(1, { value: BALANCE }))).toBe(
    `insufficient funds for gas * price + value: balance ${BALANCE}, tx cost ${cost}, overshot ${cost - BALANCE}`,
  );
  expect(await refusal(submit(1, { gas: 20_999n }))).toBe('intrinsic gas too low: gas 20999, minimum needed 21000');
  expect(await refusal(submit(1, { gas: 16_777_217n }))).toBe('transaction gas limit too high (cap: 16777216, tx: 16777217)');
  expect(await refusal(pool.submit(Uint8Array.of(0x05, 0xc0)))).toBe('transaction type not supported');
  expect(await refusal(pool.submit(new Uint8Array()))).toBe('transaction type not supported');
  expect(await refusal(pool.submit(Uint8Array.of(0x03, 0xc0)))).toMatch(/^transaction type not supported: .*blob/);
  for (const type of [0x7c, 0x7d, 0x7e])
    expect(await refusal(pool.submit(Uint8Array.of(type, 0xc0)))).toMatch(/^transaction type not supported: system/);
  expect(await refusal(pool.submit(Uint8Array.of(0x02, 0x01)))).toMatch(/^rlp: /);
  expect(await refusal(submit(1, { chainId: 1 }))).toBe('invalid sender: invalid chain id for signer');
  expect(await refusal(submit(1, { data: new Uint8Array(49_153), gas: 5_000_000n }))).toBe(
    'max initcode size exceeded: code size 49153, limit 49152',
  );
  expect(pool.counts()).toEqual({ pending: 0, queued: 0 });
});

test('a tip above the fee cap is refused in the words of geth', async () => {
  // viem will not sign this one: its fields are chainId, nonce, tip, cap, gas, to, value, data, access list.
  const fields = [toHexNumber(spec.genesis.chainId), '0x', '0x02', '0x01', '0x5208', SOMEONE, '0x01', '0x', []] as const;
  const digest = keccak256(concat(['0x02', toRlp([...fields])]));
  const signature = parseSignature(await accountAt(1).sign({ hash: digest }));
  const signed = concat(['0x02', toRlp([...fields, signature.yParity === 0 ? '0x' : '0x01', signature.r, signature.s])]);
  expect(await refusal(pool.submit(fromHex(signed)))).toMatch(/^max priority fee per gas higher than max fee per gas/);
});

test('a replacement must raise both fees by ten percent, no wei less', async () => {
  const first = await submit(0, { tip: 1_000n, cap: 10n * GWEI });
  for (const [tip, cap] of [
    [1_099n, 11n * GWEI],
    [1_100n, 11n * GWEI - 1n],
    [5_000n, 10n * GWEI],
    [1_000n, 50n * GWEI],
  ] as const) {
    expect(await refusal(submit(0, { tip, cap, value: 2n }))).toBe('replacement transaction underpriced');
    expect(candidates()).toEqual([first]);
  }
  const second = await submit(0, { tip: 1_100n, cap: 11n * GWEI, value: 2n });
  expect(candidates()).toEqual([second]);
  expect(pool.read(fromHex(first))).toBeUndefined();
  expect(pool.counts()).toEqual({ pending: 1, queued: 0 });
  expect(hashesOf(await network.sequencer.build())).toEqual([second]);
});

test('a transaction that is replaced leaves the later ones of its sender where they are', async () => {
  await submit(0, { nonce: 0 });
  const later = await submit(0, { nonce: 1 });
  const better = await submit(0, { nonce: 0, tip: 2n * GWEI, cap: 20n * GWEI });
  expect(candidates()).toEqual([better, later]);
});

test('a transaction behind a gap waits until the gap is closed', async () => {
  const third = await submit(0, { nonce: 2 });
  const fourth = await submit(0, { nonce: 3 });
  expect(pool.counts()).toEqual({ pending: 0, queued: 2 });
  expect(await pool.nonce(addressAt(0))).toBe(0n);
  expect(candidates()).toEqual([]);
  const first = await submit(0, { nonce: 0 });
  expect(pool.counts()).toEqual({ pending: 1, queued: 2 });
  expect(await pool.nonce(addressAt(0))).toBe(1n);
  expect(hashesOf(await network.sequencer.build())).toEqual([first]);
  expect(pool.counts()).toEqual({ pending: 0, queued: 2 });
  const second = await submit(0, { nonce: 1 });
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
  expect(await pool.nonce(addressAt(0))).toBe(4n);
  expect(hashesOf(await network.sequencer.build())).toEqual([second, third, fourth]);
});

test('the highest tip goes first, but the nonces of a sender stay in order', async () => {
  const a0 = await submit(0, { nonce: 0, tip: 10n });
  const a1 = await submit(0, { nonce: 1, tip: 100n });
  const b0 = await submit(1, { nonce: 0, tip: 50n });
  const b1 = await submit(1, { nonce: 1, tip: 5n });
  const c0 = await submit(2, { nonce: 0, tip: 20n });
  const order = [b0, c0, a0, a1, b1];
  expect(candidates()).toEqual(order);
  expect(hashesOf(await network.sequencer.build())).toEqual(order);
});

test('what counts is the tip that is left under the fee cap at the base fee', async () => {
  const capped = await submit(0, { tip: 100n, cap: 1_010n });
  const plain = await submit(1, { tip: 50n, cap: GWEI });
  expect(candidates(1_000n)).toEqual([plain, capped]);
  expect(candidates(900n)).toEqual([capped, plain]);
});

test('a transaction under the base fee waits, and those behind it too', async () => {
  await submit(0, { nonce: 0, cap: 999n, tip: 1n });
  await submit(0, { nonce: 1, cap: GWEI });
  const other = await submit(1, { nonce: 0, cap: 1_000n, tip: 0n });
  expect(candidates(1_000n)).toEqual([other]);
  expect(candidates(999n)).toHaveLength(3);
  await network.sequencer.build();
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
});

test('after a transaction that could not be taken no later one of its sender is given', async () => {
  const a0 = await submit(0, { nonce: 0, tip: 10n });
  await submit(0, { nonce: 1, tip: 10n });
  const b0 = await submit(1, { tip: 5n });
  const cursor = pool.candidates(0n);
  expect(toHex(cursor.next()?.hash as Uint8Array)).toBe(a0);
  cursor.skipSender();
  expect(toHex(cursor.next()?.hash as Uint8Array)).toBe(b0);
  expect(cursor.next()).toBeUndefined();
});

test('a transaction that its sender can pay no more is dropped when a block is built, the ones behind it wait', async () => {
  const most = (BALANCE * 2n) / 3n;
  const first = await submit(0, { nonce: 0, value: most });
  const second = await submit(0, { nonce: 1, value: most });
  await submit(0, { nonce: 2 });
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
  expect(hashesOf(await network.sequencer.build())).toEqual([first]);
  expect(pool.read(fromHex(second))).toBeUndefined();
  expect(pool.counts()).toEqual({ pending: 0, queued: 1 });
});

test('a transaction that does not fit into a block waits for the next, while smaller ones of others go', async () => {
  const gas = 16_000_000n;
  const first = await submit(0, { gas, tip: 30n });
  // It uses 21,000 of its gas; what counts for the second is its limit.
  const second = await submit(1, { gas, tip: 20n });
  const small = await submit(2, { tip: 10n });
  const { execution } = network.sequencer.node.chain;
  expect(execution.spec.genesis.gasLimit).toBe(30_000_000n);
  expect(hashesOf(await network.sequencer.build())).toEqual([first, second, small]);
});

test('what the chain has taken leaves the pool, also by another transaction of that nonce', async () => {
  const verifier = await network.createVerifier();
  const { chain } = verifier.node;
  const mine = createPool({ chain: chain as ChainReader, common: chain.execution.common, clock: network.clock, log: silentLogger });
  const following: Promise<void>[] = [];
  chain.onHead((change) => following.push(mine.follow(change)));
  const same = await sign(0);
  const rival = await sign(1, { value: 7n });
  const later = await sign(1, { nonce: 1 });
  await mine.submit(same);
  await mine.submit(rival);
  await mine.submit(later);
  await pool.submit(same);
  await submit(1, { value: 8n });
  await network.sequencer.build();
  await verifier.sync();
  await Promise.all(following);
  expect(mine.read(hashTransaction(same))).toBeUndefined();
  expect(mine.read(hashTransaction(rival))).toBeUndefined();
  expect(mine.read(hashTransaction(later))).toBeDefined();
  expect(mine.counts()).toEqual({ pending: 1, queued: 0 });
  expect(await mine.nonce(addressAt(1))).toBe(2n);
});

test('those who listen hear of each new transaction once, until they stop', async () => {
  const heard: Hex[] = [];
  const stop = pool.onTransaction(({ hash }) => heard.push(toHex(hash)));
  const first = await submit(0);
  await refusal(submit(0));
  stop();
  await submit(1);
  expect(heard).toEqual([first]);
});

test('the same transaction handed in twice at once is known the second time', async () => {
  const raw = await sign(0);
  const answers = await Promise.all([refusal(pool.submit(raw)), refusal(pool.submit(raw))]);
  expect(answers.sort()).toEqual(['accepted', 'already known']);
  expect(pool.counts()).toEqual({ pending: 1, queued: 0 });
});

test('a transaction of more bytes than geth takes is refused before anything else is asked', async () => {
  expect(await refusal(pool.submit(new Uint8Array(131_073)))).toBe('oversized data: transaction size 131073, limit 131072');
  expect(await refusal(pool.submit(new Uint8Array(131_072)))).toMatch(/^rlp|^transaction type not supported/);
});

test('the pool tells what it holds by sender, in the order of nonces', async () => {
  const hashes = [];
  for (const nonce of [1, 0, 5, 3]) hashes.push(await submit(0, { nonce }));
  const [second, first, sixth, fourth] = hashes;
  const other = await submit(1);
  const { pending, queued } = pool.content();
  const shown = (content: typeof pending): [Hex, Hex[]][] => [...content].map(([sender, all]) => [sender, all.map(({ hash }) => toHex(hash))]);
  expect(shown(pending)).toEqual([
    [toHex(addressAt(0)), [first, second]],
    [toHex(addressAt(1)), [other]],
  ]);
  expect(shown(queued)).toEqual([[toHex(addressAt(0)), [fourth, sixth]]]);
  expect(pool.counts()).toEqual({ pending: 3, queued: 2 });
});

test('what has waited behind a gap for three hours is dropped, what can be executed waits on', async () => {
  const stays = await submit(0, { nonce: 0, cap: 1n, tip: 0n });
  const early = await submit(1, { nonce: 1 });
  const hour = 60 * 60 * 1000;
  await network.clock.advance(2 * hour);
  await submit(2, { nonce: 1 });
  await network.clock.advance(hour - 3000);
  await network.sequencer.build();
  expect(pool.read(fromHex(early))).toBeDefined();
  await network.clock.advance(60_000);
  await network.sequencer.build();
  expect(pool.read(fromHex(early))).toBeUndefined();
  expect(pool.read(fromHex(stays))).toBeDefined();
  expect(pool.counts()).toEqual({ pending: 1, queued: 1 });
});

/** A pool of its own over the sequencer's chain, and how often it read an account of the state. */
function createCounted(): { mine: Pool; read: () => number } {
  const { chain } = network.sequencer.node;
  let reads = 0;
  const counted: ChainReader = {
    ...chain,
    stateAt(block) {
      const state = chain.stateAt(block);
      const account = (address: Uint8Array): ReturnType<typeof state.account> => {
        reads += 1;
        return state.account(address);
      };
      return { ...state, account };
    },
  };
  const mine = createPool({ chain: counted, common: chain.execution.common, clock: network.clock, log: silentLogger });
  chain.onHead((change) => void mine.follow(change));
  const read = (): number => {
    const count = reads;
    reads = 0;
    return count;
  };
  return { mine, read };
}

test('the state of a sender is read once for each head, however many transactions come', async () => {
  const { mine, read } = createCounted();
  const raws = await Promise.all([0, 1, 2, 3, 4].map((nonce) => sign(0, { nonce })));
  await Promise.all(raws.slice(0, 2).map((raw) => mine.submit(raw)));
  await mine.submit(raws[2] as Uint8Array);
  expect(await mine.nonce(addressAt(0))).toBe(3n);
  expect(read()).toBe(1);
  await pool.submit(raws[0] as Uint8Array);
  await network.sequencer.build();
  await mine.settled();
  read();
  for (const raw of raws.slice(3)) await mine.submit(raw);
  expect(read()).toBe(1);
  expect(mine.counts()).toEqual({ pending: 4, queued: 0 });
});

test('a block costs no look at senders that are not in it, and none at those whose transactions it took', async () => {
  const { mine, read } = createCounted();
  for (let i = 0; i < 5; i += 1) await mine.submit(await sign(i));
  const taken = await sign(1);
  await pool.submit(taken);
  // The same nonce, by another transaction: now the state has to be asked.
  await submit(2, { value: 5n });
  read();
  await network.sequencer.build();
  await mine.settled();
  expect(read()).toBe(1);
  expect(mine.counts()).toEqual({ pending: 3, queued: 0 });
  expect(mine.read(hashTransaction(taken))).toBeUndefined();
});

test('a dropped transaction makes the pool ask for the nonce of its sender again', async () => {
  const { mine, read } = createCounted();
  await mine.submit(await sign(0));
  const first = mine.read(hashTransaction(await sign(0)));
  await mine.submit(await sign(0, { nonce: 1 }));
  mine.drop(first as never);
  expect(mine.counts()).toEqual({ pending: 0, queued: 1 });
  read();
  await network.sequencer.build();
  await mine.settled();
  expect(read()).toBe(1);
  await network.sequencer.build();
  await mine.settled();
  expect(read()).toBe(0);
});

test('a transaction that is dropped in the middle costs at most what may wait behind a gap', async () => {
  const { mine } = createCounted();
  const raws = await Promise.all(Array.from({ length: 70 }, (_, nonce) => sign(0, { nonce, value: 0n })));
  for (const raw of raws) await mine.submit(raw);
  mine.drop(mine.read(hashTransaction(raws[1] as Uint8Array)) as never);
  expect(mine.counts()).toEqual({ pending: 1, queued: 68 });
  await network.sequencer.build();
  await mine.settled();
  expect(mine.counts()).toEqual({ pending: 1, queued: 64 });
  expect(mine.read(hashTransaction(raws[65] as Uint8Array))).toBeDefined();
  expect(mine.read(hashTransaction(raws[66] as Uint8Array))).toBeUndefined();
});

test.each([[[3]], [[3, 65]]])('a reorg of blocks with %j transactions puts all back where they were', async (sizes) => {
  const { chain } = network.sequencer.node;
  const before = chain.head('latest');
  let head = before;
  const wound: ChainReader = { ...chain, head: (tag) => (tag === 'latest' ? head : chain.head(tag)) };
  const mine = createPool({ chain: wound, common: chain.execution.common, clock: network.clock, log: silentLogger });
  const raws = await Promise.all(Array.from({ length: 70 }, (_, nonce) => sign(0, { nonce, value: 0n })));
  for (const raw of raws) await mine.submit(raw);
  const rest = [...raws];
  const removed: PlacedL2Header[] = [];
  for (const size of sizes) {
    for (const raw of rest.splice(0, size)) await pool.submit(raw);
    await network.sequencer.build();
    head = chain.head('latest');
    removed.unshift(head);
    await mine.follow({ removed: [], added: [head] });
  }
  expect(mine.counts()).toEqual({ pending: rest.length, queued: 0 });
  head = before;
  // Asked between the reorg and the news of it, the pool must not lose what seems to wait behind a gap.
  expect(await mine.nonce(addressAt(0))).toBe(0n);
  expect(mine.counts()).toEqual({ pending: 0, queued: rest.length });
  await mine.follow({ removed, added: [] });
  expect(mine.counts()).toEqual({ pending: 70, queued: 0 });
  expect(await mine.nonce(addressAt(0))).toBe(70n);
});

test('the builder waits until the pool has followed the parent', async () => {
  const { chain, headers, blocks } = network.sequencer.node;
  const mine = createPool({ chain, common: chain.execution.common, clock: network.clock, log: silentLogger });
  const first = await sign(0);
  const second = await sign(0, { nonce: 1 });
  for (const raw of [first, second]) await mine.submit(raw);
  await pool.submit(first);
  await network.sequencer.build();
  // A pool that is late: it hears of the head when it is waited for.
  const late: Pool = { ...mine, settled: () => mine.follow({ removed: [], added: [chain.head('latest')] }) };
  const key = new Secret(new Uint8Array(32).fill(1));
  const builder = createBuilder({ chain, pool: late, headers, blocks, clock: network.clock, log: silentLogger }, { key });
  const timestamp = chain.head('latest').header.timestamp + BigInt(spec.genesis.blockTime);
  const [sequencer] = spec.genesis.sequencers;
  const sealed = await builder.build({ timestamp, sequencer: sequencer as Sequencer });
  expect(hashesOf(sealed as SealedBlock)).toEqual([toHex(hashTransaction(second))]);
});
