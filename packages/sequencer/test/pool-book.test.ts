import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tipAt } from '../src/fee-order.ts';
import type { Pooled } from '../src/pool-account.ts';
import { type Book, createBook } from '../src/pool-book.ts';
import { createCursor, type PoolCursor } from '../src/pool-cursor.ts';
import { pooledOf } from './pooled.ts';

/** The pool as one would write it down: by sender, the nonce in the state and transactions by nonce. */
type Model = Map<string, { nonce: bigint; transactions: Map<bigint, Pooled> }>;

const runOf = ({ nonce, transactions }: { nonce: bigint; transactions: Map<bigint, Pooled> }): Pooled[] => {
  const run = [];
  for (let n = nonce, next = transactions.get(n); next !== undefined; n += 1n, next = transactions.get(n)) run.push(next);
  return run;
};

/** The highest tip first, nonces in order, ties by arrival: sorted anew for each one. Senders in `skipped` stop at the nth. */
function naiveOrder(model: Model, baseFee: bigint, skipAt: ReadonlySet<number>): Pooled[] {
  let runs = [...model.values()].map(runOf);
  const order: Pooled[] = [];
  for (;;) {
    runs = runs.filter(([head]) => head !== undefined && tipAt(head, baseFee) >= 0n);
    runs.sort(([a], [b]) => Number(tipAt(b as Pooled, baseFee) - tipAt(a as Pooled, baseFee)) || (a as Pooled).arrival - (b as Pooled).arrival);
    const [best] = runs;
    if (best === undefined) return order;
    if (skipAt.has(order.length)) runs.shift();
    order.push(best.shift() as Pooled);
  }
}

function takeAll(cursor: PoolCursor, skipAt: ReadonlySet<number> = new Set()): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let next = cursor.next(); next !== undefined; next = cursor.next()) {
    if (skipAt.has(hashes.length)) cursor.skipSender();
    hashes.push(next.hash);
  }
  return hashes;
}

const hashesOf = (all: readonly Pooled[]): Uint8Array[] => all.map(({ transaction }) => transaction.hash);

type Step =
  | { put: { sender: number; ahead: number; tip: number; room: number } }
  | { remove: number }
  | { moveTo: { sender: number; by: number } }
  | { check: { baseFee: number; skipAt: number[] } };

const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ put: fc.record({ sender: fc.nat(4), ahead: fc.nat(5), tip: fc.nat(5), room: fc.nat(8) }) }),
    },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ moveTo: fc.record({ sender: fc.nat(4), by: fc.integer({ min: -3, max: 4 }) }) }) },
    { weight: 3, arbitrary: fc.record({ check: fc.record({ baseFee: fc.nat(12), skipAt: fc.array(fc.nat(8), { maxLength: 3 }) }) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60, size: 'max' },
);

function check(book: Book, model: Model, at: { baseFee: bigint; skipAt: ReadonlySet<number> }): void {
  expect(takeAll(book.candidates(at.baseFee), at.skipAt)).toEqual(hashesOf(naiveOrder(model, at.baseFee, at.skipAt)));
  const accounts = [...model.values()];
  const pending = accounts.reduce((sum, account) => sum + runOf(account).length, 0);
  const all = accounts.flatMap(({ transactions }) => [...transactions.values()]);
  expect(book.counts()).toEqual({ pending, queued: all.length - pending, bytes: all.length * 100 });
  checkTails(book, model, at.baseFee);
}

/** Who would go first: the last of a sender, by the cheapest of all that must go before it. */
function checkTails(book: Book, model: Model, baseFee: bigint): void {
  for (const kind of ['pending', 'queued'] as const) {
    const tails = [...model.values()].flatMap((account) => {
      const all = [...account.transactions.values()];
      const isQueued = runOf(account).length < all.length;
      const last = all.reduce<Pooled | undefined>((a, b) => (a !== undefined && a.nonce > b.nonce ? a : b), undefined);
      const lowestOf = (values: bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b));
      if (last === undefined || isQueued !== (kind === 'queued')) return [];
      const tip = lowestOf(all.map((pooled) => pooled.tip));
      const room = lowestOf(all.map((pooled) => pooled.cap)) - baseFee;
      return [{ last, worth: tip < room ? tip : room }];
    });
    tails.sort((a, b) => Number(a.worth - b.worth) || b.last.arrival - a.last.arrival);
    expect(book.cheapest(kind, baseFee)?.pooled.key).toBe(tails[0]?.last.key);
  }
}

test('the choice for a block is that of a sort at every base fee, after any history', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const book = createBook(() => 0);
      const model: Model = new Map();
      const seen: Pooled[] = [];
      const inBook = new Set<Pooled>();
      book.watch({ added: (pooled) => inBook.add(pooled), removed: (pooled) => inBook.delete(pooled) });
      all.forEach((step, arrival) => {
        if ('put' in step) {
          const { sender, ahead, tip, room } = step.put;
          const { sender: key } = pooledOf({ sender, nonce: 0, tip, cap: tip, arrival });
          const account = model.get(key) ?? { nonce: 3n, transactions: new Map<bigint, Pooled>() };
          const pooled = pooledOf({ sender, nonce: Number(account.nonce) + ahead, tip, cap: tip + room, arrival });
          model.set(key, account);
          account.transactions.set(pooled.nonce, pooled);
          seen.push(pooled);
          book.put(pooled, account.nonce);
        } else if ('remove' in step) {
          const pooled = seen[step.remove % (seen.length || 1)];
          const transactions = pooled && model.get(pooled.sender)?.transactions;
          if (pooled === undefined) return;
          if (transactions?.get(pooled.nonce) === pooled) transactions.delete(pooled.nonce);
          book.remove(pooled);
        } else if ('moveTo' in step) {
          const { sender: key } = pooledOf({ sender: step.moveTo.sender, nonce: 0, tip: 0, cap: 0, arrival });
          const account = model.get(key);
          if (account === undefined) return;
          account.nonce = account.nonce + BigInt(step.moveTo.by) < 0n ? 0n : account.nonce + BigInt(step.moveTo.by);
          for (const nonce of account.transactions.keys()) if (nonce < account.nonce) account.transactions.delete(nonce);
          book.moveTo(key, account.nonce);
        } else check(book, model, { baseFee: BigInt(step.check.baseFee), skipAt: new Set(step.check.skipAt) });
        expect(inBook).toEqual(new Set([...model.values()].flatMap(({ transactions }) => [...transactions.values()])));
      });
    }),
    { numRuns: 400 },
  );
});

test('a choice stays as it was when the pool changes meanwhile, less what has left', () => {
  const book = createBook(() => 0);
  const [a, b, c] = [1, 2, 3].map((n) => pooledOf({ sender: n, nonce: 0, tip: 10 * n, cap: 100, arrival: n })) as [Pooled, Pooled, Pooled];
  const a1 = pooledOf({ sender: 1, nonce: 1, tip: 1, cap: 100, arrival: 4 });
  for (const pooled of [a, b, c, a1]) book.put(pooled, 0n);
  const cursor = book.candidates(0n);
  const other = book.candidates(0n);
  expect(cursor.next()?.hash).toEqual(c.transaction.hash);
  book.remove(b);
  // Better than all the others, but late: a choice that took it might never end.
  book.put(pooledOf({ sender: 4, nonce: 0, tip: 50, cap: 100, arrival: 5 }), 0n);
  book.put(pooledOf({ sender: 3, nonce: 1, tip: 50, cap: 100, arrival: 6 }), 0n);
  // A block that takes the first of a sender leaves the second where it was.
  expect(cursor.next()?.hash).toEqual(a.transaction.hash);
  book.moveTo(a.sender, 1n);
  expect(takeAll(cursor)).toEqual([a1.transaction.hash]);
  // It had not come to the first one, so it does not come to the second.
  expect(takeAll(other)).toEqual([c.transaction.hash]);
  expect(takeAll(book.candidates(0n))).toHaveLength(4);
});

test('to choose a thousand of a hundred thousand, only some thousands are looked at', () => {
  let looked = 0;
  const all = Array.from({ length: 100_000 }, (_, i) => pooledOf({ sender: i, nonce: 0, tip: 200_000 - i, cap: 1_000_000, arrival: i }));
  const heap = new Proxy(all, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looked += 1;
      return Reflect.get(target, key);
    },
  });
  const read = (sender: string, nonce: bigint): Pooled | undefined => (nonce === 0n ? all[Number.parseInt(sender.slice(-8), 16)] : undefined);
  const cursor = createCursor({ heaps: [heap], baseFee: 0n, lastArrival: 100_000, read });
  for (let i = 0; i < 1_000; i += 1) expect(cursor.next()?.hash).toEqual(all[i]?.transaction.hash);
  expect(looked).toBeLessThan(2_100);
});
