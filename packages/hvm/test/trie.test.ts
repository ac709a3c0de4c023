import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTrie } from '../src/state/trie.ts';
import { decodeRow } from '../src/state/trie-codec.ts';
import type { BranchNode } from '../src/state/trie-node.ts';

/** Keys that share long prefixes, so that every kind of split and collapse happens. */
const key = fc
  .array(fc.constantFrom('0', '1', 'a'), { minLength: 64, maxLength: 64 })
  .chain((digits) => fc.integer({ min: 0, max: 64 }).map((cut) => `${'0'.repeat(cut)}${digits.join('').slice(cut)}`));
const value = fc.uint8Array({ minLength: 1, maxLength: 40 });
const operation = fc.oneof({ weight: 3, arbitrary: fc.tuple(key, value) }, { weight: 2, arbitrary: fc.tuple(fc.nat(), fc.constant(undefined)) });

/** Of a part that is hashed before the rest. */
const part = fc.array(fc.constantFrom('0', '1', 'a'), { minLength: 1, maxLength: 3 }).map((digits) => digits.join(''));

/** What goes by a key, in these tests. */
const nameOf = (key: string): string => `@${key}`;

test('roots are those of @ethereumjs/mpt, through any run of puts, deletions and commits, in parts and at once; no row is left over', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(operation, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      fc.array(part, { maxLength: 4 }),
      async (batches, parts) => {
        const rows = new Map<string, Uint8Array>();
        const oracle = new MerklePatriciaTrie();
        const known: string[] = [];
        const content = new Map<string, Uint8Array>();
        /** What was committed last: the rows of the state, where a leaf finds its value. */
        let stored = new Map<string, Uint8Array>();
        const over = (nodes: Map<string, Uint8Array>) =>
          openTrie('', { read: (row) => nodes.get(row), value: (name) => stored.get(name), keyOf: (name) => name.slice(1) });
        for (const batch of batches) {
          const trie = over(rows);
          const touched = new Set<string>();
          for (const [what, to] of batch) {
            const at = typeof what === 'string' ? what : known[what % Math.max(1, known.length)];
            // A block changes each row once.
            if (at === undefined || touched.has(at)) continue;
            touched.add(at);
            const bytes = Uint8Array.from(Buffer.from(at, 'hex'));
            if (to === undefined) {
              trie.del(nameOf(at));
              await oracle.del(bytes);
              content.delete(at);
            } else {
              if (stored.has(nameOf(at))) trie.replace(nameOf(at), to);
              else trie.put(nameOf(at), to);
              await oracle.put(bytes, to);
              known.push(at);
              content.set(at, to);
            }
          }
          const write = (row: string, bytes: Uint8Array | undefined) => void (bytes === undefined ? rows.delete(row) : rows.set(row, bytes));
          for (const one of parts) trie.settle(one, write);
          const root = trie.commit(write);
          expect(Buffer.from(root).toString('hex')).toBe(Buffer.from(oracle.root()).toString('hex'));
          stored = new Map([...content].map(([at, bytes]) => [nameOf(at), bytes]));
        }
        const fresh = new Map<string, Uint8Array>();
        const whole = over(fresh);
        for (const [at, bytes] of content) whole.put(nameOf(at), bytes);
        whole.commit((row, bytes) => (bytes === undefined ? fresh.delete(row) : fresh.set(row, bytes)));
        expect([...rows.keys()].sort()).toEqual([...fresh.keys()].sort());
        for (const [row, bytes] of rows) {
          const [mine, anew] = [decodeRow(bytes), decodeRow(fresh.get(row) as Uint8Array)];
          // A leaf that once stood in its parent's row has no name: it is stored whole.
          if (typeof mine === 'object' && typeof anew === 'string') expect(mine).toMatchObject({ kind: 'leaf', value: stored.get(anew) });
          else if (typeof mine === 'object' && mine.kind === 'branch')
            expect(mine).toMatchObject({ kind: 'branch', children: (anew as BranchNode).children });
          else expect(mine).toEqual(anew);
        }
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);
