import type { Log, Receipt } from '@hemid/protocol';
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

function add(bloom: Uint8Array, item: Uint8Array): void {
  for (const bit of bitsOf(item)) {
    const index = SIZE - 1 - (bit >> 3);
    bloom[index] = (bloom[index] ?? 0) | (1 << (bit & 7));
  }
}

function bloomOfLogs(logs: readonly Log[]): Uint8Array {
  if (logs.length === 0) return NOTHING;
  const bloom = new Uint8Array(SIZE);
  for (const { address, topics } of logs) {
    add(bloom, address);
    for (const topic of topics) add(bloom, topic);
  }
  return bloom;
}

/** The bloom of each receipt, and that of all of them: what `bloomOf` of protocol gives, each item hashed once. */
export function bloomsOf(receipts: readonly Receipt[]): { each: Uint8Array[]; all: Uint8Array } {
  const each = receipts.map(({ logs }) => bloomOfLogs(logs));
  const all = new Uint8Array(SIZE);
  for (const bloom of each) {
    if (bloom === NOTHING) continue;
    for (let i = 0; i < SIZE; i += 1) all[i] = (all[i] ?? 0) | (bloom[i] ?? 0);
  }
  return { each, all };
}
