import { parseBlock, toBitcoinTransaction } from '@hemid/bitcoin';
import { concat, readTransactions } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const u32 = fc.nat(0xffffffff);
const input = fc.record({
  hash: fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constant(new Uint8Array(32))),
  index: u32,
  script: fc.oneof(bytes(300), bytes(4)),
  sequence: u32,
  witness: fc.array(fc.oneof(bytes(80), bytes(300)), { maxLength: 3 }),
});
const output = fc.record({ value: fc.bigInt(0n, 2n ** 63n - 1n), script: fc.oneof(bytes(300), bytes(4)) });

/** Transactions as bitcoinjs-lib has them. */
const transaction = fc
  .record({ version: u32, locktime: u32, ins: fc.array(input, { minLength: 1, maxLength: 4 }), outs: fc.array(output, { maxLength: 4 }) })
  .map(({ version, locktime, ins, outs }) => {
    const tx = new Transaction();
    Object.assign(tx, { version, locktime, ins, outs });
    return tx;
  });

const count = (n: number): Uint8Array => (n < 0xfd ? Uint8Array.of(n) : Uint8Array.of(0xfd, n & 0xff, n >> 8));

describe('the reader of transactions', () => {
  it('agrees with bitcoinjs-lib on every transaction, hashes included', () => {
    fc.assert(
      fc.property(fc.array(transaction, { maxLength: 5 }), fc.nat(90), (list, start) => {
        const raw = concat(new Uint8Array(start), count(list.length), ...list.map((tx) => new Uint8Array(tx.toBuffer())));
        const read = readTransactions(raw, { start });
        const theirs = list.map((tx) => Transaction.fromBuffer(tx.toBuffer()));
        expect(read.map((one) => one.transaction)).toEqual(theirs.map(toBitcoinTransaction));
        expect(read.map(({ hasWitness }) => hasWitness)).toEqual(theirs.map((tx) => tx.hasWitnesses()));
        expect(read.map((one) => new Uint8Array(one.raw))).toEqual(list.map((tx) => new Uint8Array(tx.toBuffer())));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes all the bytes or none: cut, lengthened and random ones are refused with a RangeError', () => {
    fc.assert(
      fc.property(fc.array(transaction, { minLength: 1, maxLength: 3 }), fc.nat(), (list, where) => {
        const raw = concat(count(list.length), ...list.map((tx) => new Uint8Array(tx.toBuffer())));
        expect(() => readTransactions(raw.subarray(0, where % raw.length), { start: 0 })).toThrow(RangeError);
        expect(() => readTransactions(concat(raw, Uint8Array.of(0)), { start: 0 })).toThrow(RangeError);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(bytes(400), (raw) => {
        try {
          readTransactions(raw, { start: 0 });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses what Bitcoin Core refuses: long counts, empty witness records, unknown flags, no inputs', () => {
    const head = Uint8Array.of(2, 0, 0, 0);
    const tail = Uint8Array.of(0, 0, 0, 0);
    const spend = concat(new Uint8Array(32).fill(7), tail, Uint8Array.of(0), tail);
    const read = (...parts: Uint8Array[]) => readTransactions(concat(Uint8Array.of(1), head, ...parts, tail), { start: 0 });
    expect(read(Uint8Array.of(1), spend, Uint8Array.of(0))).toHaveLength(1);
    expect(() => read(Uint8Array.of(0xfd, 1, 0), spend, Uint8Array.of(0))).toThrow(/longer than it has to be/);
    expect(() => read(Uint8Array.of(0xfe, 1, 0, 0, 0), spend, Uint8Array.of(0))).toThrow(/longer than it has to be/);
    expect(() => read(Uint8Array.of(0xff, 1, 0, 0, 0, 0, 0, 0, 0), spend, Uint8Array.of(0))).toThrow(/64 bits/);
    expect(read(Uint8Array.of(0, 1, 1), spend, Uint8Array.of(0, 1, 1, 5))).toMatchObject([{ hasWitness: true }]);
    expect(() => read(Uint8Array.of(0, 1, 1), spend, Uint8Array.of(0, 0))).toThrow(/without witnesses/);
    expect(() => read(Uint8Array.of(0, 2, 1), spend, Uint8Array.of(0, 1, 1, 5))).toThrow(/unknown data/);
    expect(() => read(Uint8Array.of(0, 0))).toThrow(RangeError);
    expect(() => read(Uint8Array.of(0, 1, 0, 0))).toThrow(/no inputs/);
  });

  it('hands out plain arrays, also from a Buffer', () => {
    const genesis =
      '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000';
    const block = parseBlock(Buffer.from(genesis, 'hex'));
    const [coinbase] = block.transactions;
    for (const array of [block.hash, block.header, coinbase?.txid, coinbase?.outputs[0]?.script]) expect(Buffer.isBuffer(array)).toBe(false);
    expect(coinbase).toMatchObject({ isCoinbase: true, version: 1 });
  });
});
