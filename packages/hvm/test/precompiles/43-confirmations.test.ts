import { beforeAll, expect, test } from 'vitest';
import { confirmations } from '../../src/index.ts';
import { call, empty, failed, openScene, type Scene, u32, value } from './scene.ts';

const GAS = 5_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

test('value: counted from the light tip, not from the index tip', async () => {
  expect(await call(confirmations, scene.txid.coinbase, scene)).toEqual(value(u32(7), GAS));
  expect(await call(confirmations, scene.txid.huge, scene)).toEqual(value(u32(3), GAS));
});

test('value: at an earlier block, counted from its light tip', async () => {
  const view = scene.lab.view(scene.hashes[4] as Uint8Array);
  expect(await call(confirmations, scene.txid.coinbase, { ...scene, view })).toEqual(value(u32(4), GAS));
  expect(await call(confirmations, scene.txid.huge, { ...scene, view })).toEqual(failed);
});

test('value: a light tip below the block wraps', async () => {
  const view = { ...scene.view, lightTip: { ...scene.view.lightTip, height: 3 } };
  expect(await call(confirmations, scene.txid.huge, { ...scene, view })).toEqual(value('ffffffff', GAS));
  expect(await call(confirmations, scene.txid.plain, { ...scene, view })).toEqual(value(u32(1), GAS));
});

test('fail: a transaction that is unknown or not indexed yet', async () => {
  expect(await call(confirmations, scene.txid.nobody, scene)).toEqual(failed);
  expect(await call(confirmations, scene.txid.late, scene)).toEqual(failed);
});

test('empty: a wrong length, the four bytes that once halted the public network included', async () => {
  for (const input of ['', 'a82f7c66', scene.txid.huge.slice(2), `${scene.txid.huge}00`])
    expect(await call(confirmations, input, scene)).toEqual(empty(GAS));
});
