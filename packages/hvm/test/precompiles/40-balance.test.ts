import { beforeAll, expect, test } from 'vitest';
import { balance } from '../../src/index.ts';
import { addressOf, ascii, call, empty, openScene, SCRIPT, type Scene, u64, value } from './scene.ts';

const GAS = 50_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

test('value: the sum of what is unspent', async () => {
  // Carol: the huge transaction's output and the orphan's; what the first coinbase gave her was spent.
  expect(await call(balance, ascii(addressOf(SCRIPT.carol)), scene)).toEqual(value(u64(3), GAS));
});

test('value: zero for an address that has nothing any more, or never had', async () => {
  for (const script of [SCRIPT.alice, Uint8Array.of(0x51, 32, ...new Uint8Array(32))]) {
    expect(await call(balance, ascii(addressOf(script)), scene)).toEqual(value(u64(0), GAS));
  }
});

test('value: 2,100,000,000,000,000 fit, at the block where they were there', async () => {
  const view = await scene.lab.stand(scene.hashes[1] as Uint8Array);
  expect(await call(balance, ascii(addressOf(SCRIPT.carol)), { ...scene, view })).toEqual(value('000775f05a074000', GAS));
  await scene.lab.stand(scene.hashes[7] as Uint8Array);
});

test('value: an address in capitals is the same one', async () => {
  const view = await scene.lab.stand(scene.hashes[1] as Uint8Array);
  expect(await call(balance, ascii(addressOf(SCRIPT.alice).toUpperCase()), { ...scene, view })).toEqual(value(u64(5_000), GAS));
  await scene.lab.stand(scene.hashes[7] as Uint8Array);
});

test('empty: what is too short, or no address of this network', async () => {
  const bech32 = addressOf(SCRIPT.alice);
  for (const text of [
    '',
    bech32.slice(0, 23),
    bech32.slice(0, 24),
    `${bech32} `,
    `A${bech32.slice(1)}`,
    'bc1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqthqst8',
    '1'.repeat(34),
  ]) {
    expect(await call(balance, ascii(text), scene), text).toEqual(empty(GAS));
  }
});

test('empty at once: a text of a megabyte, whose decoding would take hours', async () => {
  expect(await call(balance, new Uint8Array(1_000_000).fill(0x7a), scene)).toEqual(empty(GAS));
});
