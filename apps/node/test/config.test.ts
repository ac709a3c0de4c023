import { toHex } from '@hemid/protocol';
import { loadConfig } from '@hemid/runtime';
import { expect, test } from 'vitest';
import { nodeConfig } from '../src/config.ts';

const HASH = `0x${'ab'.repeat(32)}`;
const load = (checkpoint: string) =>
  loadConfig(nodeConfig, {
    argv: ['--chain', 'chain.json', '--role', 'verifier', '--bitcoind', 'http://127.0.0.1:8332', `--checkpoint=${checkpoint}`],
    env: {},
    envPrefix: 'HEMID',
  }).checkpoint;

test('a checkpoint is a number and a hash', () => {
  const checkpoint = load(`1200:${HASH}`);
  expect(checkpoint?.number).toBe(1200n);
  expect(toHex(checkpoint?.hash as Uint8Array)).toBe(HASH);
});

test('a malformed checkpoint is refused with the form that it must have', () => {
  for (const wrong of ['1200', HASH, `${HASH}:1200`, `-1:${HASH}`, `1200:${HASH}00`, `1200:${HASH.slice(2)}`, `0x10:${HASH}`]) {
    expect(() => load(wrong)).toThrow(/checkpoint.*must be NUMBER:HASH, e\.g\. 1200:0x and 64 hex digits/);
  }
});
