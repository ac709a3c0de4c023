import { beforeAll, expect, test } from 'vitest';
import { witness } from '../../src/index.ts';
import { call, empty, openScene, type Scene, u16, value } from './scene.ts';

const GAS = 15_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

const ask = (txid: string, index: number, element: number, max: number) => call(witness, txid + u16(index) + u16(element) + u16(max), scene);

test('value: an element cut to max and its length whole', async () => {
  for (const max of [0, 1, 31, 32, 33, 0xffff])
    expect(await ask(scene.txid.rich, 0, 0, max)).toEqual(value(u16(32) + '11'.repeat(Math.min(max, 32)), GAS));
  expect(await ask(scene.txid.rich, 0, 2, 300)).toEqual(value(u16(300) + '22'.repeat(300), GAS));
});

test('value: an element without bytes is a length of zero', async () => {
  expect(await ask(scene.txid.rich, 0, 1, 10)).toEqual(value('0000', GAS));
  expect(await ask(scene.txid.huge, 1, 0xffff, 10)).toEqual(value('0000', GAS));
});

test('value: a length that 16 bits cannot count is 65535', async () => {
  expect(await ask(scene.txid.huge, 0, 0, 2)).toEqual(value('ffff3333', GAS));
  expect((await ask(scene.txid.huge, 0, 0, 0xffff)).output).toHaveLength(2 * (2 + 65_535));
});

test('empty: an element, an input or a transaction that is not there; a wrong length', async () => {
  const { nobody, late, plain, rich } = scene.txid;
  for (const [txid, index, element] of [
    [rich, 0, 3],
    [rich, 0, 0xffff],
    [rich, 1, 0],
    [rich, 2, 0],
    [plain, 0, 0],
    [nobody, 0, 0],
    [late, 0, 0],
  ] as const) {
    expect(await ask(txid, index, element, 10)).toEqual(empty(GAS));
  }
  for (const bytes of ['', rich, `${rich}0000000000`, `${rich}00000000000000`]) expect(await call(witness, bytes, scene)).toEqual(empty(GAS));
});

test('value: the reserved value of a coinbase with a commitment is its witness', async () => {
  const block = scene.lab.blocks.get(scene.hashes[2] as Uint8Array);
  const txid = Buffer.from(block.transactions[0]?.txid ?? [])
    .reverse()
    .toString('hex');
  expect(await ask(txid, 0, 0, 64)).toEqual(value(u16(32) + '00'.repeat(32), GAS));
});
