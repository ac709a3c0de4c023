import type { Log, Receipt } from '@hemid/protocol';
import { allocate } from '@hemid/store';
import { keccak } from './state/keccak.ts';
import { latin } from './state/key.ts';

const SIZE = 256;
const NOTHING = new Uint8Array(SIZE);
const MAX_KNOWN = 65_536;
/** Where the three bits of an address or topic stand, by its bytes (latin1): the same ones come again and again. */
const known = new Map<string, [number, number, number]>();

function bitsOf(item: Uint8Array): [number, number, number] {
  const key = latin(item);
  const found = known.get(key);
  if (found !== undefined) return found;
  const digest = keccak(item);
  const bit = (i: number): number => (((digest[i] ?? 0) << 8) | (digest[i + 1] ?? 0)) & 2047;
  const bits: [number, number, number] = [bit(0), bit(2), bit(4)];
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, bits);
  return bits;
}

function add(blooms: { one: Uint8Array; all: Uint8Array }, item: Uint8Array): void {
  const { one, all } = blooms;
  for (const bit of bitsOf(item)) {
    const index = SIZE - 1 - (bit >> 3);
    const mask = 1 << (bit & 7);
    one[index] = (one[index] as number) | mask;
    all[index] = (all[index] as number) | mask;
  }
}

/** The bloom of logs, which is added to `all`. */
function bloomOfLogs(logs: readonly Log[], all: Uint8Array): Uint8Array {
  if (logs.length === 0) return NOTHING;
  const one = allocate(SIZE).fill(0);
  for (const { address, topics } of logs) {
    add({ one, all }, address);
    for (const topic of topics) add({ one, all }, topic);
  }
  return one;
}

/** The bloom of each receipt, and that of all of them: what `bloomOf` of protocol gives, each item hashed once. */
export function bloomsOf(receipts: readonly Receipt[]): { each: Uint8Array[]; all: Uint8Array } {
  const all = new Uint8Array(SIZE);
  return { each: receipts.map(({ logs }) => bloomOfLogs(logs, all)), all };
}
