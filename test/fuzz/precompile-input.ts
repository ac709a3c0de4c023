import { concat, displayBytes, scriptToAddress, toBigEndian } from '@hemid/protocol';
import type { SeededRandom } from '@hemid/testkit';
import { bytesOf, mutate, pick } from './mutation.ts';
import type { RandomBitcoin } from './random-bitcoin.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A 16-bit number, mostly small. */
function u16(random: SeededRandom): Uint8Array {
  const value =
    random.next() < 0.85 ? random.between(0, random.between(0, 5)) : random.next() < 0.5 ? random.between(0, 300) : random.between(0, 0xffff);
  return toBigEndian(value, 2);
}

/** An input of the form a precompile wants. */
function wellFormed(random: SeededRandom, address: number, { txids, payments, scripts, hashes }: RandomBitcoin): Uint8Array {
  const known = random.next() < 0.7 ? payments : txids;
  const txid = random.next() < 0.95 ? displayBytes(pick(random, known)) : bytesOf(random, 32);
  const owner = ascii(scriptToAddress(pick(random, scripts), 'regtest') ?? '');
  switch (address) {
    case 0x40:
    case 0x46:
      return owner;
    case 0x41: {
      const start = random.next() < 0.9 ? random.between(0, 80) : random.between(0, 0xffffff);
      return concat(owner, toBigEndian(start, 3), toBigEndian(random.next() < 0.3 ? 0 : random.between(0, 255), 1));
    }
    case 0x42:
      return concat(txid, bytesOf(random, 4));
    case 0x43:
      return txid;
    case 0x44:
      return bytesOf(random, random.between(0, 40));
    case 0x45:
      return toBigEndian(random.next() < 0.9 ? random.between(0, hashes.length) : random.between(0, 0xffffffff), 4);
    case 0x49:
      return concat(txid, u16(random), u16(random), toBigEndian(random.between(0, 0xffff), 2));
    default:
      return concat(txid, u16(random), u16(random));
  }
}

/** A random input for a precompile: well-formed, nearly so, or anything. */
export function inputFor(random: SeededRandom, address: number, bitcoin: RandomBitcoin): Uint8Array {
  const kind = random.next();
  if (kind < 0.1) return bytesOf(random, random.between(0, 100));
  const input = wellFormed(random, address, bitcoin);
  return kind < 0.75 ? input : mutate(random, input);
}
