import { concat } from '@hemid/protocol';
import type { SeededRandom } from '@hemid/testkit';

/** Counts that no block can hold, as compact sizes. */
const ABSURD = ['fdffff', 'feffffffff', 'ffffffffffffffffff', 'ff0000000001000000', 'fe00000001', 'fd0000', 'fc'].map((text) =>
  Uint8Array.from(Buffer.from(text, 'hex')),
);

export const bytesOf = (random: SeededRandom, size: number): Uint8Array => Uint8Array.from({ length: size }, () => random.between(0, 255));
export const pick = <T>(random: SeededRandom, from: readonly T[]): T => from[random.between(0, from.length - 1)] as T;

/** Bytes a little different from these: a bit, a byte, a piece gone, doubled or added, or a count that is absurd. */
export function mutate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const at = random.between(0, bytes.length);
  const size = random.between(1, 8);
  const splice = (removed: number, added: Uint8Array): Uint8Array => concat(bytes.subarray(0, at), added, bytes.subarray(at + removed));
  const replace = (byte: number): Uint8Array => {
    const changed = bytes.slice();
    changed[at] = byte;
    return changed;
  };
  switch (random.between(0, 6)) {
    case 0:
      return replace((bytes[at] ?? 0) ^ (1 << random.between(0, 7)));
    case 1:
      return replace(random.between(0, 255));
    case 2:
      return bytes.slice(0, at);
    case 3:
      return splice(size, new Uint8Array());
    case 4:
      return splice(0, bytes.subarray(at, at + size));
    case 5:
      return splice(0, bytesOf(random, size));
    default:
      return splice(1, pick(random, ABSURD));
  }
}
