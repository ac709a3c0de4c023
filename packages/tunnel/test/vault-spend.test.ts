import { type BitcoinOutput, type BitcoinTransaction, concat, fromHex, toBigEndian, toHex } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { expect, test } from 'vitest';
import { toVaultSpend } from '../src/index.ts';

const EMPTY = toHex(keccak_256(new Uint8Array()));
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const output = (n: number, valueSats = 1_000n * BigInt(n)): BitcoinOutput => ({
  valueSats,
  script: concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(n)),
});
const markData = (firstId: bigint, count: number): Uint8Array => concat(ascii('HEMW'), toBigEndian(firstId, 8), toBigEndian(count, 2));
const markOf = (data: Uint8Array, prefix: number[] = [data.length]): BitcoinOutput => ({
  valueSats: 0n,
  script: concat(Uint8Array.of(0x6a, ...prefix), data),
});
const mark = (firstId: bigint, count: number): BitcoinOutput => markOf(markData(firstId, count));

/** `vaultOut` is paid to a vault by the output at `vout`. */
function spendOf(outputs: BitcoinOutput[], vaultIn = 10_000n, { vaultOut = 4_000n, vout = 100 } = {}) {
  const transaction = { txid: new Uint8Array(32).fill(3), outputs } as BitcoinTransaction;
  const { firstId, count, netSats, outputsHash, txid } = toVaultSpend(transaction, vaultIn, [{ vout, valueSats: vaultOut }]);
  expect(txid).toEqual(transaction.txid);
  return { firstId, count, netSats, outputsHash: toHex(outputsHash) };
}

const nothing = { firstId: 0n, count: 0, netSats: 6_000n, outputsHash: EMPTY };

test('the last output says which requests are paid, and the first outputs are hashed as they pay', () => {
  const outputs = [output(1), output(2), output(9), mark(7n, 2)];
  const preimage = concat(
    fromHex('00000000000003e8'),
    fromHex('0016'),
    outputs[0]?.script as Uint8Array,
    fromHex('00000000000007d0'),
    fromHex('0016'),
    outputs[1]?.script as Uint8Array,
  );
  expect(spendOf(outputs)).toEqual({ firstId: 7n, count: 2, netSats: 6_000n, outputsHash: toHex(keccak_256(preimage)) });
});

test('a sweep has a mark with count 0', () => {
  expect(spendOf([output(1), mark(7n, 0)], 5n, { vaultOut: 5n, vout: 0 })).toEqual({ firstId: 7n, count: 0, netSats: 0n, outputsHash: EMPTY });
});

test('without a mark in the last output there is no batch', () => {
  expect(spendOf([output(1), output(2)])).toEqual(nothing);
  expect(spendOf([output(1), mark(7n, 1), output(2)])).toEqual(nothing);
  expect(spendOf([])).toEqual(nothing);
});

test('a mark with more than 64 requests, or more than there are outputs, is none', () => {
  const many = Array.from({ length: 70 }, (_, i) => output(i));
  expect(spendOf([...many, mark(1n, 64)])).toMatchObject({ firstId: 1n, count: 64 });
  expect(spendOf([...many, mark(1n, 65)])).toEqual(nothing);
  // The mark is an output too.
  expect(spendOf([output(1), mark(1n, 2)])).toMatchObject({ firstId: 1n, count: 2 });
  expect(spendOf([output(1), mark(1n, 3)])).toEqual(nothing);
});

test('a mark of another length, another word or with bytes behind it is none', () => {
  const data = markData(7n, 1);
  expect(spendOf([output(1), markOf(data.subarray(0, 13))])).toEqual(nothing);
  expect(spendOf([output(1), markOf(concat(data, Uint8Array.of(0)))])).toEqual(nothing);
  expect(spendOf([output(1), markOf(concat(ascii('HEMI'), data.subarray(4)))])).toEqual(nothing);
  expect(spendOf([output(1), { valueSats: 0n, script: concat(mark(7n, 1).script, Uint8Array.of(0x51)) }])).toEqual(nothing);
  expect(spendOf([output(1), { valueSats: 0n, script: mark(7n, 1).script.subarray(1) }])).toEqual(nothing);
});

test('ids and counts are read whole', () => {
  const many = Array.from({ length: 20 }, (_, i) => output(i));
  expect(spendOf([...many, mark(2n ** 64n - 1n, 16)])).toMatchObject({ firstId: 2n ** 64n - 1n, count: 16 });
});

test('an output among those of the batch is a payment, even to a script that is a vault’s by now', () => {
  const outputs = [output(1), output(2), output(9), mark(7n, 2)];
  expect(spendOf(outputs, 10_000n, { vaultOut: 4_000n, vout: 1 }).netSats).toBe(10_000n);
  expect(spendOf(outputs, 10_000n, { vaultOut: 4_000n, vout: 2 }).netSats).toBe(6_000n);
});

test('an output whose script has more bytes than 16 bits count is no payment: there is no batch', () => {
  const long = { valueSats: 1n, script: new Uint8Array(65_536) };
  expect(spendOf([output(1), long, mark(7n, 2)])).toEqual(nothing);
  expect(spendOf([output(1), long, mark(7n, 1)])).toMatchObject({ firstId: 7n, count: 1 });
});

test('what the vault loses is never negative', () => {
  expect(spendOf([output(1)], 5n, { vaultOut: 9n }).netSats).toBe(0n);
  expect(spendOf([output(1)], 9n, { vaultOut: 5n }).netSats).toBe(4n);
});
