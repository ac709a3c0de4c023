import { beforeAll, expect, test } from 'vitest';
import { headerAt } from '../../src/index.ts';
import { call, digits, empty, openScene, type Scene, u32, value } from './scene.ts';

const GAS = 6_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

test('value: each header from the hVM genesis to the index tip', async () => {
  for (let height = 0; height <= 5; height += 1) {
    const { output } = await call(headerAt, u32(height), scene);
    const hash = digits((scene.hashes[height] as Uint8Array).slice().reverse());
    expect(output?.slice(0, 72)).toBe(u32(height) + hash);
    expect(output).toHaveLength(232);
  }
});

test('value: the regtest genesis, in full', async () => {
  const frame =
    `${u32(0)}0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206${u32(1)}${'00'.repeat(32)}` +
    `4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b${u32(1_296_688_602)}207fffff${u32(2)}`;
  expect(await call(headerAt, u32(0), scene)).toEqual(value(frame, GAS));
});

test('empty: above the index tip, though the header is known; a wrong length', async () => {
  for (const input of [u32(6), u32(7), u32(8), u32(0xffffffff), '', '000005', '0000000005'])
    expect(await call(headerAt, input, scene)).toEqual(empty(GAS));
});

test('empty: at every height with the quirk of the public network', async () => {
  const quirky = { ...scene.spec, genesis: { ...scene.spec.genesis, quirks: { emptyHeaderAtHeight: true, emptySpentOutput: false } } };
  for (const height of [0, 3, 5]) expect(await call(headerAt, u32(height), { ...scene, spec: quirky })).toEqual(empty(GAS));
});
