import { expect, test } from 'vitest';
import { createServiceGroup, type Service, silentLogger } from '../src/index.ts';

/** Services that write down what happens to them; those in `failing` throw at that verb. */
function record(names: readonly string[], failing: readonly string[] = []): { services: Service[]; events: string[] } {
  const events: string[] = [];
  const act = (event: string): void => {
    events.push(event);
    if (failing.includes(event)) throw new Error(`${event} fails`);
  };
  const services = names.map((name) => ({
    name,
    start: async () => act(`start ${name}`),
    stop: async () => act(`stop ${name}`),
  }));
  return { services, events };
}

test('services start in order and stop in reverse, with the signal aborted first', async () => {
  const { services, events } = record(['a', 'b', 'c']);
  const group = createServiceGroup(services, silentLogger);
  group.signal.addEventListener('abort', () => events.push('abort'));
  await group.start();
  expect(group.signal.aborted).toBe(false);
  await group.stop();
  expect(events).toEqual(['start a', 'start b', 'start c', 'abort', 'stop c', 'stop b', 'stop a']);
});

test('a service starts only when the one before it is up', async () => {
  const events: string[] = [];
  let up: () => void = () => undefined;
  const slow: Service = {
    name: 'slow',
    start: () =>
      new Promise((resolve) => {
        up = resolve;
      }),
    stop: () => undefined,
  };
  const group = createServiceGroup([slow, { name: 'next', start: () => void events.push('next'), stop: () => undefined }], silentLogger);
  const started = group.start();
  await Promise.resolve();
  expect(events).toEqual([]);
  up();
  await started;
  expect(events).toEqual(['next']);
});

test('a failed start stops what had begun to start, in reverse, leaves the rest alone, and rethrows', async () => {
  const { services, events } = record(['a', 'b', 'c', 'd'], ['start c']);
  const group = createServiceGroup(services, silentLogger);
  await expect(group.start()).rejects.toThrow('start c fails');
  expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  expect(group.signal.aborted).toBe(true);
  await group.stop();
  expect(events).toHaveLength(6);
});

test('a failed start is what is reported, even if a stop fails too', async () => {
  const { services, events } = record(['a', 'b', 'c'], ['start c', 'stop b']);
  await expect(createServiceGroup(services, silentLogger).start()).rejects.toThrow('start c fails');
  expect(events.slice(-2)).toEqual(['stop b', 'stop a']);
});

test('every service is stopped although some fail to, and the first failure is rethrown', async () => {
  const { services, events } = record(['a', 'b', 'c'], ['stop c', 'stop a']);
  const group = createServiceGroup(services, silentLogger);
  await group.start();
  await expect(group.stop()).rejects.toThrow('stop c fails');
  expect(events.slice(3)).toEqual(['stop c', 'stop b', 'stop a']);
});

test('a group that is stopped twice stops each service once', async () => {
  const { services, events } = record(['a', 'b']);
  const group = createServiceGroup(services, silentLogger);
  await group.start();
  await group.stop();
  await group.stop();
  expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});
