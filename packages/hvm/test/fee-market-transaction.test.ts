import { RLP } from '@ethereumjs/rlp';
import { createTxFromRLP } from '@ethereumjs/tx';
import { parseChainSpec, toMinimal } from '@hemid/protocol';
import { createEmbeddedBitcoin, createManualClock, devSpecJson } from '@hemid/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFeeMarket } from '../src/fee-market-transaction.ts';
import { createCommon } from '../src/index.ts';

const bytes = (max: number) => fc.uint8Array({ minLength: 0, maxLength: max });
const integer = (bits: number) => fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** BigInt(bits) - 1n)).map(toMinimal);
const usual = (most: unknown) => most as fc.Arbitrary<Uint8Array>;

/** Mostly transactions as they should be; now and then a field that is not. */
const transaction = fc.tuple(
  fc.oneof({ weight: 20, arbitrary: fc.constant(743_555n).map(toMinimal) }, integer(64)),
  fc.oneof({ weight: 20, arbitrary: integer(64) }, bytes(9)),
  fc.oneof({ weight: 20, arbitrary: integer(40) }, integer(256)),
  fc.oneof({ weight: 20, arbitrary: fc.bigInt(2n ** 40n, 2n ** 100n).map(toMinimal) }, integer(256), bytes(33)),
  fc.oneof({ weight: 20, arbitrary: fc.bigInt(0n, 16_777_216n).map(toMinimal) }, integer(64)),
  fc.oneof({ weight: 20, arbitrary: fc.uint8Array({ minLength: 20, maxLength: 20 }) }, bytes(21)),
  fc.oneof({ weight: 20, arbitrary: integer(256) }, bytes(33)),
  fc.oneof(bytes(4), bytes(300)),
  fc.oneof({ weight: 10, arbitrary: fc.constant([]) }, fc.constantFrom<unknown>([[new Uint8Array(20), []]], new Uint8Array())),
  fc.oneof({ weight: 20, arbitrary: fc.constantFrom(0n, 1n).map(toMinimal) }, bytes(2)),
  fc.oneof({ weight: 20, arbitrary: integer(256) }, bytes(33)),
  fc.oneof({ weight: 20, arbitrary: integer(254) }, integer(256), bytes(33)),
);

test('the fast decoder gives what the constructor gives, or leaves it to the constructor', async () => {
  const clock = createManualClock(1_800_000_000_000);
  const bitcoin = await createEmbeddedBitcoin(clock);
  const common = createCommon(parseChainSpec(await devSpecJson(bitcoin.rpc, 1_800_000_000)));
  await bitcoin.close();
  let fast = 0;
  fc.assert(
    fc.property(usual(transaction) as never, fc.option(fc.tuple(fc.nat(400), fc.nat(255)), { freq: 4 }), (fields: unknown, flip) => {
      const raw = Uint8Array.from([2, ...RLP.encode(fields as Uint8Array[])]);
      if (flip !== null) raw[1 + (flip[0] % (raw.length - 1))] = flip[1];
      const decoded = decodeFeeMarket(raw, common);
      if (decoded === undefined) return;
      fast += 1;
      const byTheBook = createTxFromRLP(raw, { common, freeze: false });
      expect(decoded.toJSON()).toEqual(byTheBook.toJSON());
      expect(decoded.serialize()).toEqual(raw);
      expect(decoded.hash()).toEqual(byTheBook.hash());
      expect(decoded.getMessageToVerifySignature()).toEqual(byTheBook.getMessageToVerifySignature());
      expect(decoded.getIntrinsicGas()).toBe(byTheBook.getIntrinsicGas());
      for (const key of Object.keys(byTheBook).filter((one) => one !== 'common' && one !== 'cache')) {
        expect([key, (decoded as never)[key]]).toEqual([key, (byTheBook as never)[key]]);
      }
    }),
    { numRuns: 3000 },
  );
  expect(fast).toBeGreaterThan(300);
}, 60_000);
