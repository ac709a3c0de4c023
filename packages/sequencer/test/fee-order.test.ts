import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFeeOrder, type Priced, tipAt } from '../src/fee-order.ts';

type Step = { add: { tip: number; room: number } } | { delete: number } | { baseFee: number };

/** Few values, so that ties and crossings of the slack are common. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: fc.record({ tip: fc.nat(6), room: fc.nat(12) }) }) },
    { weight: 2, arbitrary: fc.record({ delete: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ baseFee: fc.nat(16) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 80, size: 'max' },
);

const byTip =
  (baseFee: bigint) =>
  (a: Priced, b: Priced): number =>
    Number(tipAt(b, baseFee) - tipAt(a, baseFee)) || a.arrival - b.arrival;

test.each(['best', 'worst'] as const)('the %s paid comes first at every base fee, whatever came and went', (end) => {
  fc.assert(
    fc.property(steps, (all) => {
      const order = createFeeOrder<Priced>(end);
      const items: Priced[] = [];
      let baseFee = 0n;
      all.forEach((step, arrival) => {
        if ('add' in step) {
          const [tip, slack] = [BigInt(step.add.tip), BigInt(step.add.room)];
          const item = { tip, slack, cap: tip + slack, arrival, byPrice: -1, bySlack: -1 };
          items.push(item);
          order.add(item);
        } else if ('delete' in step) {
          const [item] = items.splice(step.delete % (items.length || 1), 1);
          if (item !== undefined) order.delete(item);
        } else baseFee = BigInt(step.baseFee);
        const sorted = [...items].sort(byTip(baseFee));
        expect(order.first(baseFee)).toBe(end === 'best' ? sorted[0] : sorted.at(-1));
      });
      // Both heaps together hold every item once, and no item goes before the one above it.
      const compare = byTip(baseFee);
      const heaps = order.at(baseFee);
      expect(new Set(heaps.flat())).toEqual(new Set(items));
      expect(heaps.flat()).toHaveLength(items.length);
      for (const heap of heaps) {
        heap.slice(1).forEach((item, i) => {
          const above = heap[i >> 1] as Priced;
          expect(end === 'best' ? compare(above, item) : compare(item, above)).toBeLessThan(0);
        });
      }
    }),
    { numRuns: 300 },
  );
});

test('a base fee that moves touches only what it passes', () => {
  const order = createFeeOrder<Priced>('best');
  let reads = 0;
  const itemOf = (arrival: number): Priced => ({
    tip: 1n,
    cap: BigInt(arrival) + 1n,
    arrival,
    byPrice: -1,
    bySlack: -1,
    get slack() {
      reads += 1;
      return BigInt(arrival);
    },
  });
  for (let i = 0; i < 10_000; i += 1) order.add(itemOf(i));
  reads = 0;
  order.at(10n);
  expect(reads).toBeLessThan(1_000);
});
