import { beforeAll, expect, test } from 'vitest';
import { output } from '../../src/index.ts';
import { call, digits, empty, openScene, SCRIPT, type Scene, u16, u64, value } from './scene.ts';

const GAS = 15_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

const ask = (txid: string, index: number, max: number) => call(output, txid + u16(index) + u16(max), scene);

test('value: satoshis, the script cut to max and its length whole, 01 while unspent', async () => {
  for (const max of [0, 1, 22, 23, 0xffff]) {
    expect(await ask(scene.txid.orphan, 0, max)).toEqual(value(`${u64(2)}${u16(23)}${digits(SCRIPT.carol.subarray(0, max))}01`, GAS));
  }
  expect(await ask(scene.txid.rich, 3, 4)).toEqual(value(`${u64(10)}${u16(10_000)}5151515101`, GAS));
});

test('value: 00 for a spent output, and 01 for it as of an earlier block', async () => {
  const fields = `${u64(7_000)}${u16(22)}${digits(SCRIPT.alice)}`;
  expect(await ask(scene.txid.rich, 0, 100)).toEqual(value(`${fields}00`, GAS));
  const view = scene.lab.view(scene.hashes[4] as Uint8Array);
  expect(await call(output, scene.txid.rich + u16(0) + u16(100), { ...scene, view })).toEqual(value(`${fields}01`, GAS));
});

test('value: unspendable outputs can be read and are never unspent', async () => {
  expect(await ask(scene.txid.rich, 1, 100)).toEqual(value(`${u64(8)}${u16(6)}${digits(SCRIPT.opReturn)}00`, GAS));
  expect(await ask(scene.txid.rich, 2, 1)).toEqual(value(`${u64(9)}${u16(10_001)}5100`, GAS));
});

test('value: the output of a coinbase', async () => {
  expect(await ask(scene.txid.coinbase, 1, 0)).toEqual(value(`${u64(6_000)}${u16(34)}00`, GAS));
});

test('empty: with the quirk of the public network, what is not in the unspent set', async () => {
  const quirky = { ...scene.spec, genesis: { ...scene.spec.genesis, quirks: { emptyHeaderAtHeight: false, emptySpentOutput: true } } };
  const quirkily = (index: number) => call(output, scene.txid.rich + u16(index) + u16(1), { ...scene, spec: quirky });
  for (const index of [0, 1, 2, 4]) expect(await quirkily(index)).toEqual(empty(GAS));
  expect(await quirkily(3)).toEqual(value(`${u64(10)}${u16(10_000)}5101`, GAS));
});

test('empty: an index out of range; a transaction that is unknown or not indexed yet; a wrong length', async () => {
  const { nobody, late, rich } = scene.txid;
  for (const [txid, index] of [
    [rich, 5],
    [rich, 0xffff],
    [nobody, 0],
    [late, 0],
  ] as const)
    expect(await ask(txid, index, 10)).toEqual(empty(GAS));
  for (const bytes of ['', rich, `${rich}000000`, `${rich}0000000000`]) expect(await call(output, bytes, scene)).toEqual(empty(GAS));
});
