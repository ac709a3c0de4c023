import { allocate } from '@hemid/store';
import { fail } from '../errors.ts';
import type { StateKey } from './key.ts';
import { referencesOf } from './trie-codec.ts';
import { REFERENCE_SIZE } from './trie-node.ts';

/** A row of the state around one block that changed it; `undefined`: there was none, there is none. */
export interface RowChange {
  before: Uint8Array | undefined;
  after: Uint8Array | undefined;
}

/** In the history: no row of the state is empty. */
const ABSENT = new Uint8Array();
/**
 * First byte of a branch of which only the children that the block changed are kept: a bit for each child, the branch's
 * two last bytes, the hashes. No row of a node begins with it (trie-codec.ts).
 */
const PARTIAL = 1;
const HEAD_SIZE = 5;
/** Above this many changed children a branch is kept whole: it takes hardly more, and nothing need be read beside it. */
const MOST_PARTIAL = 8;
/** One in so many changes keeps a branch whole, so that no state is many rows away from one. */
const WHOLE_EVERY = 32;

/** A branch of fewer bytes is kept whole: it takes little as it is. */
const LEAST_PARTED = 300;

const isNode = (key: StateKey): boolean => key[0] === 'n' || key[0] === 'm';

/** Whether the row of a key in the history is a part, which {@link unpackBefore} puts together with what came after it. */
export const isPartial = (key: StateKey, packed: Uint8Array): boolean => packed[0] === PARTIAL && isNode(key);

/** Creates what packs the rows that one block changed, for its history. The same change always gives the same bytes. */
export function createPacker(block: bigint): (key: StateKey, change: RowChange) => Uint8Array {
  // Multiplied, so that what comes at regular distances does not always fall between.
  const turn = Math.imul(Number(block & 0xffff_ffffn), 0x9e37_79b1) >>> 16;
  return (key, { before, after }) => {
    if (before === undefined) return ABSENT;
    if (after === undefined || !isNode(key)) return before;
    const place = key.charCodeAt(key.length - 1) + (key.charCodeAt(key.length - 1) >> 4) + key.charCodeAt(key.length - 2);
    return (turn + place) % WHOLE_EVERY === 0 ? before : (partOf(before, after) ?? before);
  };
}

/** The part of a branch that changed; `undefined` when more changed than the hashes of some children. */
function partOf(before: Uint8Array, after: Uint8Array): Uint8Array | undefined {
  const places = before.length < LEAST_PARTED ? undefined : referencesOf(before, after);
  if (places === undefined) return undefined;
  let bits = 0;
  const changed: number[] = [];
  const [old, next] = [viewOf(before), viewOf(after)];
  for (let i = 0; i < places.length; i += 1) {
    const at = places[i] as number;
    if (at === 0 || isSame(old, next, at)) continue;
    bits |= 1 << i;
    changed.push(at);
  }
  if (changed.length > MOST_PARTIAL) return undefined;
  const out = allocate(HEAD_SIZE + changed.length * REFERENCE_SIZE);
  out[0] = PARTIAL;
  out[1] = bits >> 8;
  out[2] = bits & 0xff;
  out[3] = before[before.length - 2] as number;
  out[4] = before[before.length - 1] as number;
  let to = HEAD_SIZE;
  for (const at of changed) for (let i = 0; i < REFERENCE_SIZE; i += 1, to += 1) out[to] = before[at + i] as number;
  return out;
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

/** Whether the hashes at a place are equal: four bytes at a time, for there are sixteen in each branch. */
function isSame(a: DataView, b: DataView, at: number): boolean {
  for (let i = at; i < at + REFERENCE_SIZE; i += 4) if (a.getInt32(i) !== b.getInt32(i)) return false;
  return true;
}

/** What a row was before a block: `packed` from its history; `after`, which only a {@link isPartial | part} needs, is what the block left. */
export function unpackBefore(key: StateKey, packed: Uint8Array, after: () => Uint8Array | undefined): Uint8Array | undefined {
  if (packed.length === 0) return undefined;
  return isPartial(key, packed) ? patch(packed, after()) : packed;
}

function patch(part: Uint8Array, after: Uint8Array | undefined): Uint8Array {
  const places = after === undefined ? undefined : referencesOf(after, after);
  const bits = ((part[1] ?? 0) << 8) | (part[2] ?? 0);
  if (after === undefined || places === undefined) throw fail('hvm/state-missing', 'the history of a trie node does not fit what came after it');
  const row = allocate(after.length);
  row.set(after);
  row[row.length - 2] = part[3] as number;
  row[row.length - 1] = part[4] as number;
  let from = HEAD_SIZE;
  for (let i = 0; i < places.length; i += 1) {
    if ((bits & (1 << i)) === 0) continue;
    row.set(part.subarray(from, from + REFERENCE_SIZE), places[i] as number);
    from += REFERENCE_SIZE;
  }
  return row;
}
