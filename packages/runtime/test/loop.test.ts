import { HemidError, type Severity } from '@hemid/protocol';
import { createManualClock } from '@hemid/testkit';
import { expect, test } from 'vitest';
import { every, retry } from '../src/index.ts';

const error = (severity: Severity, message: string = severity): HemidError => new HemidError('test/what', severity, message);

test('every calls at once and then each time the interval has passed', async () => {
  const clock = createManualClock(1_000);
  const { signal } = new AbortController();
  const times: number[] = [];
  every(clock, 100, () => void times.push(clock.now()), signal);
  await clock.advance(99);
  expect(times).toEqual([1_000]);
  await clock.advance(1);
  expect(times).toEqual([1_000, 1_100]);
  await clock.advance(250);
  expect(times).toEqual([1_000, 1_100, 1_200, 1_300]);
});

test('every measures from the end of a call, and never runs two at once', async () => {
  const clock = createManualClock(0);
  const { signal } = new AbortController();
  const times: number[] = [];
  every(
    clock,
    100,
    async () => {
      times.push(clock.now());
      await clock.sleep(1_000);
    },
    signal,
  );
  await clock.advance(2_500);
  expect(times).toEqual([0, 1_100, 2_200]);
});

test('every ends when its signal aborts, without another call', async () => {
  const clock = createManualClock(0);
  const controller = new AbortController();
  let calls = 0;
  const count = (): void => {
    calls += 1;
  };
  const { done } = every(clock, 100, count, controller.signal);
  await clock.advance(150);
  controller.abort();
  await expect(done).resolves.toBeUndefined();
  await clock.advance(1_000);
  expect(calls).toBe(2);
});

test('a throw ends the loop and rejects done with it', async () => {
  const clock = createManualClock(0);
  let calls = 0;
  const loop = every(
    clock,
    100,
    () => {
      calls += 1;
      if (calls === 2) throw new Error('the second call');
    },
    new AbortController().signal,
  );
  await clock.advance(1_000);
  await expect(loop.done).rejects.toThrow('the second call');
  expect(calls).toBe(2);
});

test('retry doubles its delay up to the most, and gives the value in the end', async () => {
  const clock = createManualClock(0);
  const times: number[] = [];
  const reported: unknown[] = [];
  const result = retry(
    clock,
    { delayMs: 10, maxDelayMs: 35, onRetry: (e) => void reported.push(e) },
    async () => {
      times.push(clock.now());
      if (times.length < 6) throw error('retry', `attempt ${times.length}`);
      return 'value';
    },
    new AbortController().signal,
  );
  await clock.advance(1_000);
  expect(await result).toBe('value');
  expect(times).toEqual([0, 10, 30, 65, 100, 135]);
  expect(reported).toHaveLength(5);
});

test('retry rethrows at once what is not worth a retry', async () => {
  const clock = createManualClock(0);
  const { signal } = new AbortController();
  for (const fault of [error('invalid'), error('fatal'), error('reset'), new Error('a bug')]) {
    let calls = 0;
    const attempt = async (): Promise<void> => {
      calls += 1;
      throw fault;
    };
    await expect(retry(clock, { delayMs: 10, maxDelayMs: 10 }, attempt, signal)).rejects.toBe(fault);
    expect(calls).toBe(1);
  }
});

test('retry rethrows the last error when its signal aborts', async () => {
  const clock = createManualClock(0);
  const controller = new AbortController();
  let calls = 0;
  const result = retry(
    clock,
    { delayMs: 10, maxDelayMs: 10 },
    async () => {
      calls += 1;
      throw error('retry', `attempt ${calls}`);
    },
    controller.signal,
  );
  const outcome = expect(result).rejects.toThrow(/^attempt \d$/);
  await clock.advance(15);
  controller.abort();
  await outcome;
  const before = calls;
  await clock.advance(1_000);
  expect(calls).toBe(before);
});
