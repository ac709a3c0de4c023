import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AbbreviatedKeystone,
  type AccountWrite,
  decodeAbbreviated,
  decodeAttributes,
  decodeBitcoinHeader,
  decodeHeader,
  decodePayout,
  decodeReceipts,
  decodeSealedBlock,
  decodeSystemTransaction,
  encodeAbbreviated,
  encodeAttributes,
  encodeBitcoinHeader,
  encodeHeader,
  encodePayout,
  encodePopScript,
  encodeReceipts,
  encodeSealedBlock,
  encodeSystemTransaction,
  fromKeystoneJson,
  hashHeader,
  isHemidError,
  type Keystone,
  type L2Header,
  type Receipt,
  readPopScript,
  type SystemEnvelope,
  toKeystoneJson,
} from '../src/index.ts';

const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });

const abbreviated: fc.Arbitrary<AbbreviatedKeystone> = fc.record({
  version: fc.constant(1 as const),
  l1BlockNumber: u32,
  l2BlockNumber: u32,
  parentHash: bytes(11),
  previousKeystoneHash: bytes(12),
  stateRoot: bytes(32),
  blockHash: bytes(12),
});
const keystone: fc.Arbitrary<Keystone> = fc.record({
  version: fc.constant(1 as const),
  l1BlockNumber: u32,
  l2BlockNumber: u32,
  parentHash: bytes(32),
  previousKeystoneHash: bytes(32),
  stateRoot: bytes(32),
  blockHash: bytes(32),
});
const to = fc.option(bytes(20), { nil: undefined });
const data = fc.uint8Array({ maxLength: 300 });
const write: fc.Arbitrary<AccountWrite> = fc.oneof(
  fc.record({ address: bytes(20), balance: u256 }),
  fc.record({ address: bytes(20), nonce: u64 }),
  fc.record({ address: bytes(20), code: data }),
  fc.record({ address: bytes(20), slot: bytes(32), value: bytes(32) }),
);
const development = {
  type: fc.constant(0x7f as const),
  from: bytes(20),
  nonce: u64,
  to,
  maxFeePerGas: u256,
  maxPriorityFeePerGas: u256,
  value: u256,
  data,
};
const system: fc.Arbitrary<SystemEnvelope> = fc.oneof(
  fc.record({ ...development, gas: fc.constant(0n), writes: fc.array(write, { minLength: 1, maxLength: 4 }) }),
  fc.record({ ...development, gas: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), writes: fc.constant<AccountWrite[]>([]) }),
  fc.record({ type: fc.constantFrom(0x7c as const, 0x7d as const), to, gas: u64, data }) as fc.Arbitrary<SystemEnvelope>,
  fc.record({
    type: fc.constant(0x7e as const),
    sourceHash: bytes(32),
    from: bytes(20),
    to,
    mint: u256,
    value: u256,
    gas: u64,
    isSystemTransaction: fc.boolean(),
    data,
  }),
);
const header: fc.Arbitrary<L2Header> = fc.record({
  parentHash: bytes(32),
  ommersHash: bytes(32),
  beneficiary: bytes(20),
  stateRoot: bytes(32),
  transactionsRoot: bytes(32),
  receiptsRoot: bytes(32),
  logsBloom: bytes(256),
  difficulty: u64,
  number: u64,
  gasLimit: u64,
  gasUsed: u64,
  timestamp: u64,
  extraData: fc.uint8Array({ maxLength: 32 }),
  mixHash: bytes(32),
  nonce: bytes(8),
  baseFeePerGas: u256,
  withdrawalsRoot: bytes(32),
  blobGasUsed: u64,
  excessBlobGas: u64,
  parentBeaconBlockRoot: bytes(32),
  requestsHash: bytes(32),
});
const receipt: fc.Arbitrary<Receipt> = fc.record({
  type: fc.constantFrom(0, 1, 2, 4, 0x7c, 0x7d, 0x7e),
  succeeded: fc.boolean(),
  gasUsed: u64,
  cumulativeGasUsed: u64,
  nonce: u64,
  effectiveGasPrice: u256,
  logs: fc.array(fc.record({ address: bytes(20), topics: fc.array(bytes(32), { maxLength: 4 }), data }), { maxLength: 3 }),
});
const payout = fc.array(fc.tuple(bytes(20), u256), { maxLength: 8 }).map((pairs) => ({
  blockRewarded: BigInt(pairs.length) * 5n,
  miners: pairs.map(([miner]) => miner),
  amounts: pairs.map(([, amount]) => amount),
}));

function roundTrip<T>(name: string, arbitrary: fc.Arbitrary<T>, encode: (value: T) => Uint8Array, decode: (encoded: Uint8Array) => T): void {
  test(`${name}: decoding what was encoded gives the same value, and one more byte is refused`, () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const encoded = encode(value);
        expect(decode(encoded)).toEqual(value);
        expect(() => decode(Uint8Array.from([...encoded, 0]))).toThrow();
      }),
      { numRuns: 60 },
    );
  });
  test(`${name}: random and damaged bytes throw nothing but "invalid"`, () => {
    const check = (input: Uint8Array): void => {
      try {
        decode(input);
      } catch (error) {
        expect(isHemidError(error, 'protocol/encoding')).toBe(true);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns: 300 });
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, xor) => {
        const encoded = encode(value);
        const i = at % Math.max(1, encoded.length);
        encoded[i] = (encoded[i] ?? 0) ^ xor;
        check(encoded);
        check(encoded.subarray(0, i));
      }),
      { numRuns: 300 },
    );
  });
}

roundTrip('abbreviated keystone', abbreviated, encodeAbbreviated, decodeAbbreviated);
roundTrip('system transaction', system, encodeSystemTransaction, decodeSystemTransaction);
roundTrip('L2 header', header, encodeHeader, decodeHeader);
roundTrip('attributes', fc.record({ tip: bytes(32), headers: fc.array(bytes(80), { maxLength: 4 }) }), encodeAttributes, decodeAttributes);
roundTrip('payout', payout, encodePayout, decodePayout);
roundTrip('receipts', fc.array(receipt, { maxLength: 3 }), encodeReceipts, decodeReceipts);
roundTrip(
  'Bitcoin header',
  fc.record({
    version: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    previous: bytes(32),
    merkleRoot: bytes(32),
    time: u32,
    bits: u32,
    nonce: u32,
  }),
  encodeBitcoinHeader,
  decodeBitcoinHeader,
);
roundTrip(
  'sealed block',
  fc
    .record({ header, transactions: fc.array(system.map(encodeSystemTransaction), { maxLength: 3 }), seal: bytes(65) })
    .map(({ seal, ...block }) => ({ block, seal, hash: hashHeader(block.header) })),
  encodeSealedBlock,
  decodeSealedBlock,
);

test('a keystone survives its JSON form', () => {
  fc.assert(
    fc.property(keystone, (value) => {
      expect(fromKeystoneJson(toKeystoneJson(value))).toEqual(value);
    }),
  );
});

test('any push opcode and trailing bytes are read in a PoP script; another magic or length is not', () => {
  fc.assert(
    fc.property(abbreviated, fc.uint8Array({ maxLength: 9 }), (value, tail) => {
      const script = encodePopScript(value);
      expect(script).toHaveLength(83);
      expect(readPopScript(Uint8Array.from([...script, ...tail]))).toEqual(value);
      const body = script.subarray(3);
      expect(readPopScript(Uint8Array.from([0x6a, 0x4d, 80, 0, ...body]))).toEqual(value);
      expect(readPopScript(Uint8Array.from([0x6a, 0x4e, 80, 0, 0, 0, ...body]))).toEqual(value);
      expect(readPopScript(script.subarray(0, 82))).toBeUndefined();
      expect(readPopScript(Uint8Array.from([0x6a, 0x4c, 81, ...body, 0]))).toBeUndefined();
      const other = script.slice();
      other[3] = 0x68;
      expect(readPopScript(other)).toBeUndefined();
    }),
    { numRuns: 40 },
  );
});
