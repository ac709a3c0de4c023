import { beforeAll, expect, test } from 'vitest';
import { input } from '../../src/index.ts';
import { call, empty, openScene, type Scene, u16, u32, u64, value } from './scene.ts';

const GAS = 15_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

const ask = (txid: string, index: number, max: number) => call(input, txid + u16(index) + u16(max), scene);

test('value: all fields of an input, the scriptSig cut to max and its length whole', async () => {
  const { coinbase, rich } = scene.txid;
  for (const max of [0, 2, 69, 70, 71, 0xffff]) {
    const scriptSig = 'ab'.repeat(Math.min(max, 70));
    expect(await ask(rich, 0, max)).toEqual(value(u16(3) + u64(5_000) + coinbase + u16(0) + u16(70) + scriptSig + u32(0xfffffffd), GAS));
  }
  expect(await ask(rich, 1, 9)).toEqual(value(u16(0) + u64(6_000) + coinbase + u16(1) + u16(0) + u32(5), GAS));
});

test('value: what 16 bits cannot count is 65535', async () => {
  const { many, plain, huge } = scene.txid;
  expect(await ask(huge, 0, 3)).toEqual(value(`${u16(1)}${u64(9_999)}${many}ffffffff515151${u32(0xffffffff)}`, GAS));
  expect((await ask(huge, 0, 0xffff)).output).toHaveLength(2 * (2 + 8 + 32 + 2 + 2 + 65_535 + 4));
  expect(await ask(huge, 1, 3)).toEqual(value(`ffff${u64(6_500)}${plain}${u16(0)}${u16(0)}${u32(0xffffffff)}`, GAS));
});

test('empty: an index out of range, a coinbase, a source output that is unknown', async () => {
  const { rich, coinbase, orphan } = scene.txid;
  for (const [txid, index] of [
    [rich, 2],
    [rich, 0xffff],
    [coinbase, 0],
    [coinbase, 1],
    [orphan, 1],
  ] as const) {
    expect(await ask(txid, index, 10)).toEqual(empty(GAS));
  }
  expect((await ask(orphan, 0, 10)).output).not.toBe('');
});

test('empty: a transaction that is unknown or not indexed yet; a wrong length', async () => {
  const { nobody, late, rich } = scene.txid;
  for (const txid of [nobody, late]) expect(await ask(txid, 0, 10)).toEqual(empty(GAS));
  for (const bytes of ['', rich, `${rich}000000`, `${rich}0000000000`]) expect(await call(input, bytes, scene)).toEqual(empty(GAS));
});
