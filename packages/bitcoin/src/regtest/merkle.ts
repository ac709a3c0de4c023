import { concat, equal, sha256d } from '@hemid/protocol';

/**
 * Bitcoin's merkle root of hashes in internal order. `mutated` says that two equal hashes stand side by side at some
 * level, so that another list has the same root (CVE-2012-2459).
 */
export function merkleRoot(leaves: readonly Uint8Array[]): { root: Uint8Array; mutated: boolean } {
  let level = [...leaves];
  let mutated = false;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array;
      const right = level[i + 1];
      if (right !== undefined && equal(left, right)) mutated = true;
      next.push(sha256d(concat(left, right ?? left)));
    }
    level = next;
  }
  return { root: level[0] ?? new Uint8Array(32), mutated };
}
