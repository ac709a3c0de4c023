import { concat } from '@hemid/protocol';
import { expect, test } from 'vitest';
import { script } from '../../src/index.ts';
import { ascii, call, empty, failed, openScene, value } from './scene.ts';

const GAS = 25_000n;
const scene = await openScene();

test('value: the script of every form of address', async () => {
  // From Bitcoin Core's key_io_valid.json, regtest.
  for (const [address, expected] of [
    ['n4fajahJrAuKbN7uNsKjLjQkz9Qn5ewJXQ', '76a914fdeca3b08e38af53d7c4c60e3ad208ce5066441088ac'],
    ['2MxFajLApXpYk4VodBSZSt7rw8y4ryABkfA', 'a91436e9f191e0b75036a77f65e2eaa4752443233fbe87'],
    ['bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9', '00146f58bac9506f9bfb821d62e69330410bb56f0085'],
    ['BCRT1QDAVT4J2SD7DLHQSAVTNFXVZPPW6K7QY97TMNU9', '00146f58bac9506f9bfb821d62e69330410bb56f0085'],
    ['bcrt1qan8gntac7z7me2ejt4hpru42ad2f759fmy0m3ejvs98656znv7eqga4uhv', '0020ecce89afb8f0bdbcab325d6e11f2aaeb549f50a9d91fb8e64c814faa685367b2'],
    ['bcrt1pfwxjqvtt4tcxrtdluukfmy2dv7xd2qzdfy6kajv5nwn4yam3wxkq3553uh', '51204b8d20316baaf061adbfe72c9d914d678cd5004d49356ec9949ba752777171ac'],
  ] as const) {
    expect(await call(script, ascii(address), scene), address).toEqual(value(expected, GAS));
  }
});

test('fail: a witness program of a form that nobody uses yet', async () => {
  expect(await call(script, ascii('bcrt1sx6p8njlx7h9mc2agz4yg82dzne23050ncq72cneeecez2pst8mahn8xecsf8g6hzx94420'), scene)).toEqual(failed);
});

test('fail: 24 bytes or more that are no address of this network', async () => {
  for (const text of [
    'z'.repeat(30),
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku203',
    'x'.repeat(24),
  ]) {
    expect(await call(script, ascii(text), scene), text).toEqual(failed);
  }
  expect(await call(script, concat(ascii('mmZJGTYyMqVoMYQZvY5jzF9uWREKyk1bPj'), Uint8Array.of(0)), scene)).toEqual(failed);
  expect(await call(script, new Uint8Array(1_000_000).fill(0x7a), scene)).toEqual(failed);
});

test('empty: fewer than 24 bytes', async () => {
  for (const text of ['', 'z'.repeat(23), 'mmZJGTYyMqVoMYQZvY5jzF9']) expect(await call(script, ascii(text), scene)).toEqual(empty(GAS));
});
