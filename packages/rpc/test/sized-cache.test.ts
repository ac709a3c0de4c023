import { expect, it } from 'vitest';
import { createSizedCache } from '../src/sized-cache.ts';

it('keeps what was asked for last within its size, and makes the rest again', () => {
  const cache = createSizedCache<string>(10, ({ length }) => length);
  const made: string[] = [];
  const get = (text: string) =>
    cache.get(text, () => {
      made.push(text);
      return text;
    });
  for (const text of ['aaaa', 'bbbb', 'aaaa', 'cccc', 'aaaa', 'bbbb']) expect(get(text)).toBe(text);
  expect(made).toEqual(['aaaa', 'bbbb', 'cccc', 'bbbb']);
  // Larger than everything: it is given, and nothing stays.
  expect(get('d'.repeat(11))).toHaveLength(11);
  expect(get('aaaa')).toBe('aaaa');
  expect(made).toEqual(['aaaa', 'bbbb', 'cccc', 'bbbb', 'd'.repeat(11), 'aaaa']);
  expect(cache.get('nothing', () => undefined)).toBeUndefined();
});

it('counts what was put under a name again once', () => {
  const cache = createSizedCache<string>(10, ({ length }) => length);
  for (const text of ['aaaaaaaa', 'bbbbbbbb', 'cc']) cache.put('one', text);
  cache.put('other', 'dddddddd');
  expect([cache.read('one'), cache.read('other'), cache.read('none')]).toEqual(['cc', 'dddddddd', undefined]);
  cache.put('one', 'eee');
  expect([cache.read('one'), cache.read('other')]).toEqual(['eee', undefined]);
});
