import { format, inspect } from 'node:util';
import pino from 'pino';
import { expect, test } from 'vitest';
import { Secret } from '../src/index.ts';

const password = 'correct horse battery staple';
const secret = new Secret(password);

test('a secret is given to the one who asks for it', () => {
  expect(secret.reveal()).toBe(password);
});

test('a secret prints [secret] wherever a value is turned into text', () => {
  expect(String(secret)).toBe('[secret]');
  expect(`${secret}`).toBe('[secret]');
  expect(JSON.stringify({ nested: { secret } })).toBe('{"nested":{"secret":"[secret]"}}');
  expect(inspect(secret)).toBe('[secret]');
  expect(inspect({ nested: [{ secret }] }, { depth: null, showHidden: true })).toBe('{ nested: [ { secret: [secret] }, [length]: 1 ] }');
  expect(format('%s %o %O %j', secret, secret, secret, secret)).toBe('[secret] [secret] [secret] "[secret]"');
  expect(new Error(`with ${secret}`).message).toBe('with [secret]');
});

test('a secret has no property that shows its value', () => {
  expect(Object.keys(secret)).toEqual([]);
  expect(JSON.stringify(Object.assign({}, secret))).toBe('{}');
  expect(inspect(Object.entries(Object.getOwnPropertyDescriptors(secret)))).toBe('[]');
});

test('a log line with a secret shows [secret], at the top, deep inside, and in the message', () => {
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  log.info({ secret, options: { login: { secret } }, all: [secret] }, 'logging in with %s', secret);
  log.error({ err: Object.assign(new Error('refused'), { secret }) }, 'no');
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 30,
    secret: '[secret]',
    options: { login: { secret: '[secret]' } },
    all: ['[secret]'],
    msg: expect.stringContaining('[secret]'),
  });
  expect(JSON.parse(lines[1] ?? '').err.secret).toBe('[secret]');
  expect(lines.join('')).not.toContain(password);
});
