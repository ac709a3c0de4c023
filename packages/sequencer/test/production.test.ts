import { silentLogger } from '@hemid/runtime';
import { createManualClock } from '@hemid/testkit';
import { afterEach, expect, test } from 'vitest';
import { createProduction } from '../src/development/production.ts';
import { fail } from '../src/errors.ts';

const controller = new AbortController();
afterEach(() => controller.abort());

test('blocks of a development chain come at multiples of the interval, none at zero, and a passing trouble ends nothing', async () => {
  const clock = createManualClock(1_000_500);
  const builtMs: number[] = [];
  let trouble: Error | undefined;
  const failures: unknown[] = [];
  const build = async (): Promise<void> => {
    if (trouble !== undefined) throw trouble;
    builtMs.push(clock.now());
  };
  const deps = { clock, log: silentLogger, build, onFailure: (error: unknown) => void failures.push(error) };
  const production = createProduction(deps, { originMs: 1_000_000, seconds: 1 });
  await production.start(controller.signal);
  await clock.advance(2_000);
  expect(builtMs).toEqual([1_001_000, 1_002_000]);

  production.setInterval(0);
  await clock.advance(60_000);
  expect(builtMs).toHaveLength(2);

  production.setInterval(5);
  await clock.advance(10_000);
  expect(builtMs.slice(2)).toEqual([1_065_000, 1_070_000]);

  trouble = fail('pool/full', 'for a while');
  await clock.advance(5_000);
  trouble = undefined;
  await clock.advance(5_000);
  expect(builtMs.slice(4)).toEqual([1_080_000]);
  expect(failures).toEqual([]);

  trouble = new Error('for good');
  await clock.advance(5_000);
  expect(failures).toEqual([trouble]);
  await production.stop();
});
