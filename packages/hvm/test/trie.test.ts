import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTrie } from '../src/state/trie.ts';

/** Keys that share long prefixes, so that every kind of split and collapse happens. */
const key = fc
  .array(fc.constantFrom('0', '1', 'a'), { minLength: 64, maxLength: 64 })
  .chain((digits) => fc.integer({ min: 0, max: 64 }).map((cut) => `${'0'.repeat(cut)}${digits.join('').slice(cut)}`));
const value = fc.uint8Array({ minLength: 1, maxLength: 40 });
const operation = fc.oneof({ weight: 3, arbitrary: fc.tuple(key, value) }, { weight: 2, arbitrary: fc.tuple(fc.nat(), fc.constant(undefined)) });

test('roots are those of @ethereumjs/mpt, through any run of puts, deletions and commits; no row is left over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(operation, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }), async (batches) => {
      const rows = new Map<string, Uint8Array>();
      const oracle = new MerklePatriciaTrie();
      const known: string[] = [];
      const content = new Map<string, Uint8Array>();
      for (const batch of batches) {
        const trie = openTrie('', (row) => rows.get(row));
        for (const [what, to] of batch) {
          const at = typeof what === 'string' ? what : known[what % Math.max(1, known.length)];
          if (at === undefined) continue;
          const bytes = Uint8Array.from(Buffer.from(at, 'hex'));
          if (to === undefined) {
            trie.del(at);
            await oracle.del(bytes);
            content.delete(at);
          } else {
            trie.put(at, to);
            await oracle.put(bytes, to);
            known.push(at);
            content.set(at, to);
          }
        }
        const root = trie.commit((row, bytes) => (bytes === undefined ? rows.delete(row) : rows.set(row, bytes)));
        expect(Buffer.from(root).toString('hex')).toBe(Buffer.from(oracle.root()).toString('hex'));
      }
      const fresh = new Map<string, Uint8Array>();
      const whole = openTrie('', (row) => fresh.get(row));
      for (const [at, bytes] of content) whole.put(at, bytes);
      whole.commit((row, bytes) => (bytes === undefined ? fresh.delete(row) : fresh.set(row, bytes)));
      expect([...rows].sort()).toEqual([...fresh].sort());
    }),
    { numRuns: 300 },
  );
}, 60_000);
