import { expect, test } from 'vitest';
import { concat, fromHex, type Hex, readRecipient, toHex } from '../src/index.ts';

const ADDRESS = 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const address = fromHex(ADDRESS);
const filler = { valueSats: 1_000n, script: fromHex('0014'.padEnd(44, '1')) };

/** OP_RETURN and what follows. */
const opReturn = (...parts: (Uint8Array | number[])[]): Uint8Array => concat(Uint8Array.of(0x6a), ...parts.map((part) => Uint8Array.from(part)));
const direct = (data: Uint8Array): Uint8Array => opReturn([data.length], data);
const pushdata1 = (data: Uint8Array): Uint8Array => opReturn([0x4c, data.length], data);

/** Recipient and payload that outputs with these scripts name. */
function read(...scripts: Uint8Array[]): [address: Hex, payload: Hex] | undefined {
  const recipient = readRecipient(scripts.map((script) => ({ valueSats: 0n, script })));
  return recipient && [toHex(recipient.address), toHex(recipient.payload)];
}

const HERE = [`0x${ADDRESS}`, '0x'];

test('forty ASCII hex digits name a recipient, lower case, upper case or mixed', () => {
  for (const digits of [ADDRESS, ADDRESS.toUpperCase(), 'f39Fd6e51aad88F6F4ce6aB8827279cffFb92266'])
    expect(read(direct(ascii(digits)))).toEqual(HERE);
});

test('forty bytes that are not all hex digits are an address and twenty bytes of payload', () => {
  const digits = ascii(`g${ADDRESS.slice(1)}`);
  expect(read(direct(digits))).toEqual([toHex(digits.slice(0, 20)), toHex(digits.slice(20))]);
});

test('the ASCII form is a direct push of forty bytes and nothing more', () => {
  const digits = ascii(ADDRESS);
  expect(read(pushdata1(digits))).toEqual([toHex(digits.slice(0, 20)), toHex(digits.slice(20))]);
  expect(read(concat(direct(digits), Uint8Array.of(0x51)))).toBeUndefined();
  expect(read(direct(ascii(`${ADDRESS}0`)))).toEqual([toHex(digits.slice(0, 20)), toHex(concat(digits.slice(20), ascii('0')))]);
});

test('a push of 20 to 80 bytes is an address and its payload, direct or by PUSHDATA1', () => {
  expect(read(direct(address))).toEqual(HERE);
  expect(read(direct(concat(address, fromHex('c0ffee'))))).toEqual([`0x${ADDRESS}`, '0xc0ffee']);
  expect(read(pushdata1(address))).toEqual(HERE);
  for (const size of [75, 76, 79, 80]) {
    const data = concat(address, new Uint8Array(size - 20).fill(7));
    expect(read(pushdata1(data))).toEqual([`0x${ADDRESS}`, toHex(data.slice(20))]);
    if (size === 75) expect(read(direct(data))).toEqual([`0x${ADDRESS}`, toHex(data.slice(20))]);
  }
});

test('a push of 19 or 81 bytes names nobody, nor does a longer one', () => {
  expect(read(direct(address.subarray(1)))).toBeUndefined();
  expect(read(pushdata1(address.subarray(1)))).toBeUndefined();
  expect(read(pushdata1(new Uint8Array(81).fill(1)))).toBeUndefined();
  expect(read(opReturn([0x4d, 20, 0], address))).toBeUndefined();
  expect(read(opReturn([0x4e, 20, 0, 0, 0], address))).toBeUndefined();
});

test('a keystone is no recipient, and anything else that begins with HEMI is', () => {
  const hemi = (size: number): Uint8Array => concat(ascii('HEMI'), new Uint8Array(size - 4).fill(1));
  expect(read(pushdata1(hemi(80)))).toBeUndefined();
  expect(read(pushdata1(hemi(79)))).toEqual([toHex(hemi(20)), toHex(new Uint8Array(59).fill(1))]);
  const lower = concat(ascii('hemi'), new Uint8Array(76).fill(1));
  expect(read(pushdata1(lower))?.[0]).toBe(toHex(lower.slice(0, 20)));
});

test('a script that goes on behind the push, ends within it, or has two pushes names nobody', () => {
  expect(read(concat(direct(address), Uint8Array.of(0)))).toBeUndefined();
  expect(read(concat(pushdata1(address), Uint8Array.of(0x51)))).toBeUndefined();
  expect(read(direct(address).subarray(0, 21))).toBeUndefined();
  expect(read(pushdata1(address).subarray(0, 22))).toBeUndefined();
  expect(read(opReturn([20], address, [20], address))).toBeUndefined();
  expect(read(opReturn())).toBeUndefined();
  expect(read(opReturn([0x4c]))).toBeUndefined();
});

test('only an OP_RETURN output names a recipient', () => {
  expect(read(concat(Uint8Array.of(0, 20), address))).toBeUndefined();
  expect(read(concat(Uint8Array.of(20), address))).toBeUndefined();
  expect(read(new Uint8Array())).toBeUndefined();
});

test('of several the first that has a form wins, by the order of the outputs', () => {
  const other = fromHex('11'.repeat(20));
  expect(read(direct(address), direct(other))).toEqual(HERE);
  expect(read(direct(other), direct(ascii(ADDRESS)))).toEqual([toHex(other), '0x']);
  expect(read(direct(address.subarray(1)), pushdata1(concat(ascii('HEMI'), new Uint8Array(76))), direct(address), direct(other))).toEqual(HERE);
});

test('a recipient behind the eighth output is not seen', () => {
  const fillers = (count: number): Uint8Array[] => Array.from({ length: count }, () => filler.script);
  expect(read(...fillers(7), direct(address))).toEqual(HERE);
  expect(read(...fillers(8), direct(address))).toBeUndefined();
});
