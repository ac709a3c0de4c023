import { createManualClock } from '@hemid/testkit';
import { expect, test } from 'vitest';
import { createFillBudget } from '../src/fill-budget.ts';

/** Fills a block while each transaction takes `fillMs`, and finishes it. @returns how many it took of 10,000, and how long. */
async function build(
  clock: ReturnType<typeof createManualClock>,
  budget: ReturnType<typeof createFillBudget>,
  cost: { fillMs: number; tailMs: number },
) {
  const startedMs = clock.now();
  budget.start();
  let count = 0;
  for (; count < 10_000 && budget.hasTime(count); count += 1) await clock.advance(cost.fillMs);
  budget.filled(count);
  await clock.advance(count * cost.tailMs);
  budget.done();
  return { count, tookMs: clock.now() - startedMs };
}

test('a builder under load learns how long finishing takes, and has its blocks ready within their slots', async () => {
  const clock = createManualClock(0);
  const budget = createFillBudget(clock, 1_000);
  const cost = { fillMs: 1, tailMs: 2 };
  const blocks = [];
  for (let i = 0; i < 8; i += 1) blocks.push(await build(clock, budget, cost));
  // The first one is too full: nothing was known of its end.
  expect(blocks[0]?.tookMs).toBeGreaterThan(1_000);
  expect(blocks.at(-1)?.tookMs).toBeLessThan(960);
  expect(blocks.at(-1)?.count).toBeGreaterThan(250);
});

test('a builder with time to spare takes all there is', async () => {
  const clock = createManualClock(0);
  const budget = createFillBudget(clock, 2_000);
  expect(await build(clock, budget, { fillMs: 0, tailMs: 0 })).toEqual({ count: 10_000, tookMs: 0 });
});
