import { fromHex, type Hex, isHemidError, toHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool, POOL_LIMITS, type Pool, type PoolLimits } from '../src/index.ts';
import type { Pooled } from '../src/pool-account.ts';
import { createBook } from '../src/pool-book.ts';
import { createRoom } from '../src/pool-room.ts';
import { pooledOf } from './pooled.ts';
import { GWEI, type Request, refusal, sign } from './signed.ts';

let network: TestNetwork;
let pool: Pool;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

/** A pool over the sequencer's chain that is full early. */
function open(limits: Partial<PoolLimits>): void {
  const { chain } = network.sequencer.node;
  pool = createPool({ chain, common: chain.execution.common, clock: network.clock, log: silentLogger }, { ...POOL_LIMITS, ...limits });
  chain.onHead((change) => void pool.follow(change));
}

async function submit(index: number, request: Request = {}): Promise<Hex> {
  return toHex(await pool.submit(await sign(network.spec.genesis.chainId, index, request)));
}

const holds = (hash: Hex): boolean => pool.read(fromHex(hash)) !== undefined;

test('the limits are those that the documentation names', () => {
  expect(POOL_LIMITS).toMatchObject({ transactions: 32_768, perSender: 1024, queuedPerSender: 64, lifetimeMs: 10_800_000 });
});

test('a full pool takes what pays more than its cheapest, which goes, and no other', async () => {
  open({ transactions: 3 });
  const [cheap, middle, dear] = [await submit(0, { tip: 10n }), await submit(1, { tip: 20n }), await submit(2, { tip: 30n })];
  expect(await refusal(submit(3, { tip: 9n }))).toBe('transaction underpriced');
  expect(await refusal(submit(3, { tip: 10n }))).toBe('transaction underpriced');
  const better = await submit(3, { tip: 11n });
  expect([cheap, middle, dear, better].map(holds)).toEqual([false, true, true, true]);
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
});

test('what counts is the tip that is left at the base fee of the next block', async () => {
  open({ transactions: 2 });
  const { baseFee } = network.spec.genesis;
  const capped = await submit(0, { tip: GWEI, cap: baseFee + 5n > GWEI ? baseFee + 5n : GWEI });
  const room = (baseFee + 5n > GWEI ? baseFee + 5n : GWEI) - baseFee;
  const plain = await submit(1, { tip: room + 1n, cap: 10n * GWEI + room });
  const better = await submit(2, { tip: room + 1n, cap: 10n * GWEI + room });
  expect([capped, plain, better].map(holds)).toEqual([false, true, true]);
});

test('of a sender only the last transaction goes, at the price of the cheapest before it', async () => {
  open({ transactions: 3 });
  const first = await submit(0, { nonce: 0, tip: 10n });
  // It promises much, but cannot come before the first.
  const second = await submit(0, { nonce: 1, tip: 500n });
  const other = await submit(1, { tip: 100n });
  const better = await submit(2, { tip: 50n });
  expect([first, second, other, better].map(holds)).toEqual([true, false, true, true]);
  // Nor can a new one be better than what must go before it.
  expect(await refusal(submit(0, { nonce: 1, tip: 500n }))).toBe('transaction underpriced');
});

test('what waits behind a gap goes before what can be executed, and drives out none of it', async () => {
  open({ transactions: 3 });
  const waiting = await submit(0, { nonce: 7, tip: 900n });
  const waitingToo = await submit(1, { nonce: 7, tip: 800n });
  const a = await submit(2, { tip: 1n });
  expect(await refusal(submit(3, { nonce: 7, tip: 700n }))).toBe('transaction underpriced');
  const b = await submit(3, { tip: 2n });
  expect([waiting, waitingToo, a, b].map(holds)).toEqual([true, false, true, true]);
  const c = await submit(4, { tip: 1n });
  expect([waiting, a, b, c].map(holds)).toEqual([false, true, true, true]);
  expect(await refusal(submit(5, { nonce: 7, tip: 1n }))).toBe('transaction underpriced');
  expect(await refusal(submit(5, { nonce: 7, tip: GWEI }))).toBe('future transaction tries to replace pending');
});

test('between two heads at most a quarter of the pool is driven out', async () => {
  open({ transactions: 8 });
  for (let nonce = 0; nonce < 8; nonce += 1) await submit(0, { nonce, tip: 1n });
  await submit(1, { tip: 10n });
  await submit(2, { tip: 10n });
  expect(await refusal(submit(3, { tip: 10n }))).toBe('txpool is full');
  await network.sequencer.build();
  await pool.settled();
  expect(await refusal(submit(3, { tip: 10n }))).toBe('accepted');
});

test('a full pool still takes replacements, and what the chain takes makes room', async () => {
  open({ transactions: 2 });
  const first = await sign(network.spec.genesis.chainId, 0, { tip: 100n });
  await pool.submit(first);
  await submit(1, { tip: 100n });
  expect(await refusal(submit(2, { tip: 100n }))).toBe('transaction underpriced');
  await submit(1, { tip: 110n, cap: 11n * GWEI });
  await network.sequencer.node.pool?.submit(first);
  await network.sequencer.build();
  await pool.settled();
  await submit(2, { tip: 100n });
  expect(pool.counts()).toEqual({ pending: 2, queued: 0 });
});

test('the bytes are limited too', async () => {
  open({ bytes: 2_000 });
  const data = new Uint8Array(1_000).fill(1);
  const large = await submit(0, { data, gas: 1_000_000n, tip: 1n });
  const small = await submit(1, { tip: 5n });
  expect(await refusal(submit(1, { data: new Uint8Array(1_900), gas: 1_000_000n, tip: 6n, cap: 11n * GWEI }))).toBe('txpool is full');
  expect(holds(small)).toBe(true);
  const larger = await submit(2, { data: new Uint8Array(1_500), gas: 1_000_000n, tip: 3n });
  expect([large, small, larger].map(holds)).toEqual([false, true, true]);
});

test('a sender has its share, and within it the lower nonce is what counts', async () => {
  open({ perSender: 4, queuedPerSender: 2 });
  const [third, fifth] = [await submit(0, { nonce: 2 }), await submit(0, { nonce: 4 })];
  expect(await refusal(submit(0, { nonce: 6 }))).toBe('account limit exceeded: pooled 2 txs');
  const fourth = await submit(0, { nonce: 3 });
  expect([third, fourth, fifth].map(holds)).toEqual([true, true, false]);
  await submit(0, { nonce: 0 });
  await submit(0, { nonce: 1 });
  expect(pool.counts()).toEqual({ pending: 4, queued: 0 });
  expect(await refusal(submit(0, { nonce: 4 }))).toBe('account limit exceeded: pooled 4 txs');
  expect(await refusal(submit(1, { nonce: 0 }))).toBe('accepted');
});

test('whatever comes, the limits hold, nobody is driven out by a worse one, and no gap is torn', () => {
  const limits = { ...POOL_LIMITS, transactions: 6, bytes: 900, perSender: 4, queuedPerSender: 2 };
  const newcomers = fc.array(fc.record({ sender: fc.nat(3), nonce: fc.nat(6), tip: fc.nat(6), room: fc.nat(6), bytes: fc.constantFrom(100, 250) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(newcomers, fc.nat(8), (all, fee) => {
      const book = createBook(() => 0);
      const room = createRoom(book, limits);
      const baseFee = BigInt(fee);
      all.forEach(({ sender, nonce, tip, room: above, bytes }, arrival) => {
        const newcomer = pooledOf({ sender, nonce, tip, cap: tip + above, arrival, bytes });
        const known = book.account(newcomer.sender);
        if (known?.run[nonce] !== undefined || known?.queued.has(newcomer.nonce)) return;
        const gone: Pooled[] = [];
        const unwatch = book.watch({ added: () => undefined, removed: (pooled) => gone.push(pooled) });
        const lasts = new Set(
          [...book.accounts()].map(({ run, queued }) => [...queued.values(), ...run].sort((a, b) => Number(b.nonce - a.nonce))[0]),
        );
        const before = book.counts();
        try {
          room.admit(newcomer, { nonce: 0n, baseFee });
          book.put(newcomer, 0n);
        } catch (error) {
          if (!isHemidError(error)) throw error;
          // A refusal is for want of room: of all, or of one sender's.
          const others = [...(known?.run ?? []), ...(known?.queued.values() ?? [])].length;
          const isFull = before.pending + before.queued + 1 > limits.transactions || before.bytes + bytes > limits.bytes;
          expect(isFull || others >= limits.queuedPerSender).toBe(true);
        }
        unwatch();
        room.renew();
        if (gone.length === 1) expect(lasts).toContain(gone[0]);
        const counts = book.counts();
        expect(counts.pending + counts.queued).toBeLessThanOrEqual(limits.transactions);
        expect(counts.bytes).toBeLessThanOrEqual(limits.bytes);
        // Nothing that could be executed has come behind a gap.
        expect(counts.pending).toBeGreaterThanOrEqual(before.pending - gone.length);
        for (const { run, queued } of book.accounts()) {
          expect(run.length + queued.size).toBeLessThanOrEqual(limits.perSender);
          expect(queued.size).toBeLessThanOrEqual(limits.queuedPerSender);
        }
      });
    }),
    { numRuns: 300 },
  );
});
