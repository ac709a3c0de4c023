import type { FinalityProof, PlacedL2Header } from '@hemid/chain';
import type { L2Header } from '@hemid/protocol';
import { expect, test } from 'vitest';
import { type Finalized, nextFinalized } from '../src/finalized.ts';

/** A block at a number, final by a keystone of its own. */
function at(number: bigint): Finalized {
  const block: PlacedL2Header = { header: { number } as L2Header, hash: new Uint8Array(32).fill(Number(number)) };
  const proof: FinalityProof = { keystoneHash: block.hash, publishedIn: block.hash };
  return { block, proof };
}

const next = (current: bigint, candidate: bigint, more: { stands?: boolean; isFrozen?: boolean } = {}): bigint =>
  nextFinalized({ current: at(current), candidate: at(candidate), stands: more.stands ?? true, isFrozen: more.isFrozen ?? false }).block.header
    .number;

test('finalized follows the highest super-final keystone forward', () => {
  expect(next(4n, 9n)).toBe(9n);
  expect(next(4n, 9n, { stands: false })).toBe(9n);
});

test('it does not move back while the publication it rests on stands in the same Bitcoin block, and does when that is gone', () => {
  expect(next(9n, 4n)).toBe(9n);
  expect(next(9n, 4n, { stands: false })).toBe(4n);
});

test('in a conflict it stays where it is, and falls only with what it rests on', () => {
  expect(next(4n, 9n, { isFrozen: true })).toBe(4n);
  expect(next(4n, 9n, { isFrozen: true, stands: false })).toBe(4n);
  expect(next(9n, 4n, { isFrozen: true })).toBe(9n);
  expect(next(9n, 4n, { isFrozen: true, stands: false })).toBe(4n);
});

test('as long as it stays it rests on what it rested on first', () => {
  const [current, candidate] = [at(4n), { ...at(4n), proof: at(7n).proof }];
  expect(nextFinalized({ current, candidate, stands: true, isFrozen: false })).toBe(current);
  expect(nextFinalized({ current, candidate, stands: false, isFrozen: false })).toBe(candidate);
});
