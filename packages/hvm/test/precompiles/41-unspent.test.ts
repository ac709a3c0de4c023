import { compare, concat } from '@hemid/protocol';
import { createBitcoinLab, labTransaction } from '@hemid/testkit';
import { beforeAll, expect, test } from 'vitest';
import { unspent } from '../../src/index.ts';
import { addressOf, ascii, CAROL_VOUT, call, digits, empty, openScene, SCRIPT, type Scene, u8, u16, u64, value } from './scene.ts';

const GAS = 100_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

const page = (start: number, size: number): Uint8Array => Uint8Array.of(start >> 16, (start >> 8) & 0xff, start & 0xff, size);
const ask = (script: Uint8Array, start: number, size: number): Uint8Array => concat(ascii(addressOf(script)), page(start, size));

test('value: one output as txid in display order, vout, satoshis', async () => {
  const view = await scene.lab.stand(scene.hashes[1] as Uint8Array);
  expect(await call(unspent, ask(SCRIPT.bob, 0, 10), { ...scene, view })).toEqual(value(`01${scene.txid.coinbase}${u16(1)}${u64(6_000)}`, GAS));
  await scene.lab.stand(scene.hashes[7] as Uint8Array);
});

test('value: the output index is cut to 16 bits', async () => {
  const view = scene.lab.view(scene.hashes[6] as Uint8Array);
  expect(view.indexTip.height).toBe(4);
  expect(CAROL_VOUT).toBe(0x1_0040);
  const { output } = await call(unspent, ask(SCRIPT.carol, 0, 10), { ...scene, view });
  expect(output).toHaveLength(2 * (1 + 2 * 42));
  expect(output).toContain(`${scene.txid.many}0040${u64(9_999)}`);
});

test('value: nothing unspent is one byte 00, and so is a start behind the end', async () => {
  expect(await call(unspent, ask(SCRIPT.alice, 0, 10), scene)).toEqual(value('00', GAS));
  expect(await call(unspent, ask(SCRIPT.carol, 2, 10), scene)).toEqual(value('00', GAS));
  expect(await call(unspent, ask(SCRIPT.carol, 0xffffff, 255), scene)).toEqual(value('00', GAS));
});

test('value: the order is that of txids in internal order, then of output indexes; start skips outputs; size 0 means 10', async () => {
  const lab = await createBitcoinLab({ indexLag: 0 });
  const owner = { script: SCRIPT.alice, valueSats: 1n };
  const coinbases = [];
  for (let i = 0; i < 20; i += 1) coinbases.push(lab.coinbase(await lab.mine({ reward: Array.from({ length: 15 }, () => owner) })));
  const view = await lab.stand(lab.headers.best().hash);
  const entry = (txid: Uint8Array, vout: number): string => `${digits(txid.slice().reverse())}${u16(vout)}${u64(1)}`;
  const entries = [...coinbases].sort(compare).flatMap((txid) => Array.from({ length: 15 }, (_, vout) => entry(txid, vout)));
  const answer = (start: number, size: number): string => u8(size) + entries.slice(start, start + size).join('');
  for (const [start, size] of [
    [0, 1],
    [0, 255],
    [44, 2],
    [45, 255],
    [299, 1],
    [290, 10],
  ] as const) {
    expect(await call(unspent, ask(SCRIPT.alice, start, size), { view, spec: lab.spec })).toEqual(value(answer(start, size), GAS));
  }
  expect(await call(unspent, ask(SCRIPT.alice, 7, 0), { view, spec: lab.spec })).toEqual(value(answer(7, 10), GAS));
  expect(await call(unspent, ask(SCRIPT.alice, 298, 0), { view, spec: lab.spec })).toEqual(value(answer(298, 2), GAS));
});

test('value: an output made and spent in one block never shows', async () => {
  const lab = await createBitcoinLab({ indexLag: 0 });
  const first = await lab.mine({ reward: [{ script: SCRIPT.bob, valueSats: 5n }] });
  const made = labTransaction([{ txid: lab.coinbase(first), vout: 0 }], [{ script: SCRIPT.alice, valueSats: 4n }]);
  const spent = labTransaction([{ txid: made.getHash(), vout: 0 }], [{ script: SCRIPT.bob, valueSats: 3n }]);
  const view = await lab.stand(await lab.mine({ transactions: [made, spent] }));
  expect(await call(unspent, ask(SCRIPT.alice, 0, 0), { view, spec: lab.spec })).toEqual(value('00', GAS));
  expect((await call(unspent, ask(SCRIPT.bob, 0, 0), { view, spec: lab.spec })).output).toHaveLength(2 * 43);
});

test('empty: what is too short, or no address of this network', async () => {
  const text = addressOf(SCRIPT.alice);
  for (const input of [
    new Uint8Array(),
    page(0, 1),
    ascii(text.slice(0, 27)),
    concat(ascii(text.slice(0, 23)), page(0, 1)),
    concat(ascii('z'.repeat(30)), page(0, 1)),
  ]) {
    expect(await call(unspent, input, scene)).toEqual(empty(GAS));
  }
});
