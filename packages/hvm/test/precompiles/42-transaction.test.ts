import { beforeAll, describe, expect, test } from 'vitest';
import { transaction } from '../../src/index.ts';
import { CAROL_VOUT, call, digits, empty, openScene, SCRIPT, type Scene, u8, u16, u32, u64, value } from './scene.ts';

const GAS = 25_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

const ask = (txid: string, ...flags: [number, number, number, number]) => call(transaction, txid + flags.map(u8).join(''), scene);
const repeat = (byte: number, count: number): string => u8(byte).repeat(count);

describe('value: each part alone', () => {
  test('nothing asked for', async () => {
    expect(await ask(scene.txid.rich, 0, 0, 0xff, 0xff)).toEqual(value('', GAS));
  });

  test('the block that contains it', async () => {
    expect(await ask(scene.txid.rich, 0x40, 0, 0, 0)).toEqual(value(digits((scene.hashes[2] as Uint8Array).slice().reverse()), GAS));
  });

  test('version, as unsigned', async () => {
    expect(await ask(scene.txid.rich, 0x20, 0, 0, 0)).toEqual(value('fffffffe', GAS));
  });

  test('size with witnesses, then without', async () => {
    // 4 + 1 + (40+1+70) + (40+1) + 1 + (9+22) + (9+6) + (8+3+10001) + (8+3+10000) + (9+34) + 4 = 20,274; marker, flag and
    // witnesses: 2 + 1 + 33 + 1 + (3+300) + 1 = 341.
    expect(await ask(scene.txid.rich, 0x10, 0, 0, 0)).toEqual(value(u32(20_274 + 341) + u32(20_274), GAS));
    expect(scene.rich.byteLength(true)).toBe(20_615);
    expect(scene.rich.byteLength(false)).toBe(20_274);
    // Without a witness both are the same.
    const plain = 4 + 1 + 41 + 1 + 31 + 4;
    expect(await ask(scene.txid.plain, 0x10, 0, 0, 0)).toEqual(value(u32(plain) + u32(plain), GAS));
    expect(await ask(scene.txid.huge, 0x10, 0, 0, 0)).toEqual(value(u32(scene.huge.byteLength(true)) + u32(scene.huge.byteLength(false)), GAS));
  });

  test('locktime', async () => {
    expect(await ask(scene.txid.rich, 0x08, 0, 0, 0)).toEqual(value('01020304', GAS));
  });

  test('inputs: the values of the first 2^x, after the count of all', async () => {
    expect(await ask(scene.txid.rich, 0x04, 0, 0x00, 0)).toEqual(value(u16(2) + u64(5_000), GAS));
    for (const f3 of [0x08, 0x10, 0x38]) {
      expect(await ask(scene.txid.rich, 0x04, 0, f3, 0)).toEqual(value(u16(2) + u64(5_000) + u64(6_000), GAS));
    }
  });

  test('input source: txid and a full output index', async () => {
    const { coinbase, many, plain } = scene.txid;
    expect(await ask(scene.txid.rich, 0x06, 0, 0x08, 0)).toEqual(
      value(u16(2) + u64(5_000) + coinbase + u32(0) + u64(6_000) + coinbase + u32(1), GAS),
    );
    expect(await ask(scene.txid.huge, 0x06, 0, 0x08, 0)).toEqual(
      value(u16(2) + u64(9_999) + many + u32(CAROL_VOUT) + u64(6_500) + plain + u32(0), GAS),
    );
  });

  test('input scriptSig: its full length, 65535 when it is more, and 16 to 128 bytes of it', async () => {
    for (const [f4, size] of [
      [0x00, 16],
      [0x04, 32],
      [0x08, 64],
      [0x0c, 70],
    ] as const) {
      expect(await ask(scene.txid.rich, 0x05, 0, 0x08, f4)).toEqual(
        value(u16(2) + u64(5_000) + u16(70) + repeat(0xab, size) + u64(6_000) + u16(0), GAS),
      );
    }
    expect(await ask(scene.txid.huge, 0x05, 0, 0x00, 0x0c)).toEqual(value(`${u16(2)}${u64(9_999)}ffff${repeat(0x51, 128)}`, GAS));
  });

  test('input sequence', async () => {
    expect(await ask(scene.txid.rich, 0x04, 0x80, 0x08, 0)).toEqual(value(u16(2) + u64(5_000) + u32(0xfffffffd) + u64(6_000) + u32(5), GAS));
  });

  test('witness counts come with the containing block, before the value; f2 bit 6 does nothing', async () => {
    const hash = digits((scene.hashes[2] as Uint8Array).slice().reverse());
    expect(await ask(scene.txid.rich, 0x44, 0, 0x08, 0)).toEqual(value(hash + u16(2) + u16(3) + u64(5_000) + u16(0) + u64(6_000), GAS));
    expect(await ask(scene.txid.rich, 0x04, 0x40, 0x00, 0)).toEqual(value(u16(2) + u64(5_000), GAS));
    expect((await ask(scene.txid.huge, 0x44, 0, 0x08, 0)).output?.slice(64)).toBe(`${u16(2)}${u16(1)}${u64(9_999)}ffff${u64(6_500)}`);
  });

  test('outputs: unspendable ones neither counted nor given, unless they are asked for', async () => {
    expect(await ask(scene.txid.rich, 0, 0x20, 0x07, 0)).toEqual(value(u16(3) + u64(7_000) + u64(10) + u64(11), GAS));
    expect(await ask(scene.txid.rich, 0, 0x28, 0x07, 0)).toEqual(value(u16(5) + [7_000, 8, 9, 10, 11].map(u64).join(''), GAS));
    expect(await ask(scene.txid.many, 0, 0x20, 0x07, 0)).toEqual(value(u16(1) + u64(9_999), GAS));
    expect(await ask(scene.txid.many, 0, 0x28, 0x01, 0)).toEqual(value(`ffff${u64(0)}${u64(0)}`, GAS));
  });

  test('outputs: the first 2^y of those that count', async () => {
    expect(await ask(scene.txid.rich, 0, 0x20, 0x00, 0)).toEqual(value(u16(3) + u64(7_000), GAS));
    expect(await ask(scene.txid.rich, 0, 0x20, 0x01, 0)).toEqual(value(u16(3) + u64(7_000) + u64(10), GAS));
    expect(await ask(scene.txid.rich, 0, 0x28, 0x01, 0)).toEqual(value(u16(5) + u64(7_000) + u64(8), GAS));
    expect((await ask(scene.txid.many, 0, 0x28, 0x07, 0)).output).toHaveLength(4 + 128 * 16);
  });

  test('output script: its full length, and 16 to 128 bytes of it', async () => {
    for (const [f4, size] of [
      [0, 16],
      [1, 32],
      [2, 64],
      [3, 128],
    ] as const) {
      const alice = u64(7_000) + u16(22) + digits(SCRIPT.alice.subarray(0, size));
      const long = u64(10) + u16(10_000) + repeat(0x51, size);
      expect(await ask(scene.txid.rich, 0, 0x30, 0x01, f4)).toEqual(value(u16(3) + alice + long, GAS));
    }
  });

  test('unspent byte: 01 only for what can be spent and is not', async () => {
    const bytes = [`${u64(7_000)}00`, `${u64(8)}00`, `${u64(9)}00`, `${u64(10)}01`, `${u64(11)}00`];
    expect(await ask(scene.txid.rich, 0, 0x2c, 0x07, 0)).toEqual(value(u16(5) + bytes.join(''), GAS));
  });
});

test('value: all parts, in their order', async () => {
  const { coinbase } = scene.txid;
  const hash = digits((scene.hashes[2] as Uint8Array).slice().reverse());
  const inputs = [
    u16(3) + u64(5_000) + coinbase + u32(0) + u16(70) + repeat(0xab, 32) + u32(0xfffffffd),
    u16(0) + u64(6_000) + coinbase + u32(1) + u16(0) + u32(5),
  ];
  const outputs = [
    `${u64(7_000)}${u16(22)}${digits(SCRIPT.alice.subarray(0, 16))}00`,
    `${u64(8)}${u16(6)}${digits(SCRIPT.opReturn)}00`,
    `${u64(9)}${u16(10_001)}${repeat(0x51, 16)}00`,
    `${u64(10)}${u16(10_000)}${repeat(0x51, 16)}01`,
  ];
  const head = hash + u32(0xfffffffe) + u32(20_615) + u32(20_274) + u32(0x01020304);
  expect(await ask(scene.txid.rich, 0xff, 0xff, 0xca, 0xf4)).toEqual(value(head + u16(2) + inputs.join('') + u16(5) + outputs.join(''), GAS));
});

test('value: as of an earlier block the output is unspent', async () => {
  const view = scene.lab.view(scene.hashes[4] as Uint8Array);
  expect(view.indexTip.height).toBe(2);
  expect(await call(transaction, `${scene.txid.rich}00240000`, { ...scene, view })).toEqual(value(`${u16(3)}${u64(7_000)}01`, GAS));
  expect(await call(transaction, `${scene.txid.plain}00240000`, { ...scene, view })).toEqual(empty(GAS));
});

test('empty: an input whose source output is unknown, if it would be in the answer', async () => {
  expect(await ask(scene.txid.orphan, 0x04, 0, 0x00, 0)).toEqual(value(u16(2) + u64(2_100_000_000_000_000), GAS));
  expect(await ask(scene.txid.orphan, 0x04, 0, 0x08, 0)).toEqual(empty(GAS));
  expect(await ask(scene.txid.orphan, 0x6c, 0xa0, 0x08, 0)).toEqual(empty(GAS));
  expect(await ask(scene.txid.orphan, 0x20, 0x80, 0x08, 0)).toEqual(value(u32(2), GAS));
});

test('empty: a coinbase with inputs; without them it has a value', async () => {
  expect(await ask(scene.txid.coinbase, 0x04, 0, 0, 0)).toEqual(empty(GAS));
  expect(await ask(scene.txid.coinbase, 0x20, 0x20, 0x07, 0)).toEqual(
    value(u32(2) + u16(3) + u64(5_000) + u64(6_000) + u64(2_100_000_000_000_000), GAS),
  );
});

test('empty: a transaction that is unknown, not indexed yet, or below the hVM genesis; a wrong length', async () => {
  const { nobody, late, rich } = scene.txid;
  const genesisCoinbase = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';
  for (const txid of [nobody, late, genesisCoinbase]) expect(await ask(txid, 0x20, 0, 0, 0)).toEqual(empty(GAS));
  for (const input of ['', rich, `${rich}200000`, `${rich}2000000000`]) expect(await call(transaction, input, scene)).toEqual(empty(GAS));
});
