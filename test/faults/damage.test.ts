import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHemidError, toHex } from '@hemid/protocol';
import { openStore } from '@hemid/store';
import { dumpStore, type ProgramEnd, runProgram } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openVerifier, playScene, type Scene, tell, writeChainSpec } from './scene.ts';

let scene: Scene;
let directory: string;
let whole: string;
/** Rows by how many steps a node was told. */
let rows: string[];
beforeAll(async () => {
  scene = await playScene();
  directory = mkdtempSync(join(tmpdir(), 'hemid-damage-'));
  whole = join(directory, 'whole');
  mkdirSync(whole);
  await writeChainSpec(scene, whole);
  const store = await openStore(join(whole, 'node'));
  const node = await openVerifier(scene, store);
  await tell(node, scene.past);
  // Tables hold the past, the log what came last.
  await store.compact();
  await tell(node, scene.story);
  rows = await dumpStore(store);
  await store.close();
});
afterAll(async () => {
  await scene.network.close();
  rmSync(directory, { recursive: true, force: true });
});

const hemid = (...args: string[]): Promise<ProgramEnd> => runProgram('apps/node/src/main.ts', args);

/** Opens the database as a node does: its head and all of its rows, or in one line why not. */
async function start(data: string): Promise<{ head: string; rows: string[] } | { refused: string }> {
  try {
    const store = await openStore(join(data, 'node'));
    try {
      const node = await openVerifier(scene, store);
      return { head: toHex(node.chain.head('latest').hash), rows: await dumpStore(store) };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isHemidError(error)) throw error;
    return { refused: `${error.severity} ${error.message}` };
  }
}

const fileOf = (pattern: RegExp): string => {
  const names = readdirSync(join(whole, 'node')).filter((name) => pattern.test(name));
  const largest = names.sort((a, b) => readFileSync(join(whole, 'node', b)).length - readFileSync(join(whole, 'node', a)).length)[0];
  if (largest === undefined) throw new Error(`no file is like ${pattern}`);
  return largest;
};

const flipAt = (part: number) => (path: string) => {
  const bytes = readFileSync(path);
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * part));
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
};

/** The first four in every run, all in the long one. */
const DAMAGES: Record<string, (path: string) => void> = {
  deleted: (path) => unlinkSync(path),
  'cut in half': (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
  'with its first byte flipped': flipAt(0),
  'with a byte in the middle flipped': flipAt(0.5),
  emptied: (path) => truncateSync(path, 0),
  'with a byte in the first third flipped': flipAt(0.3),
  'with a byte in the last part flipped': flipAt(0.9),
};

const TRIED = process.env['HEMID_LONG'] === undefined ? 4 : Object.keys(DAMAGES).length;

test.each([
  ['CURRENT', /^CURRENT$/],
  ['the manifest', /^MANIFEST-/],
  ['a table', /\.ldb$/],
  ['the log', /\.log$/],
] as const)(
  '%s damaged: the node refuses in one line, or has right rows; hemid db verify is never silent about wrong ones',
  async (name, pattern) => {
    const outcomes: string[] = [];
    for (const [what, damage] of Object.entries(DAMAGES).slice(0, TRIED)) {
      const data = join(directory, `${name}-${what}`.replaceAll(' ', '-'));
      cpSync(whole, data, { recursive: true });
      damage(join(data, 'node', fileOf(pattern)));
      const files = readdirSync(join(data, 'node')).filter((file) => /\.ldb$/.test(file));
      const started = await start(data);
      const verified = await hemid('db', 'verify', '--data', data);
      const subject = { name, what, verified, refused: 'refused' in started ? started.refused : undefined };
      if ('refused' in started) {
        expect(started.refused, JSON.stringify(subject)).toMatch(/^fatal [^\n]+$/);
        expect({ ...subject, code: verified.code, lines: verified.err.split('\n').length }).toEqual({ ...subject, code: 2, lines: 2 });
        // What may be repaired by hand is still there.
        expect(readdirSync(join(data, 'node'))).toEqual(expect.arrayContaining(files));
        outcomes.push('refused');
      } else if (verified.code === 0) {
        // All of the rows, or those of a moment before: the verification executed them again.
        const isWhole = started.rows.length === rows.length && started.rows.every((row, i) => row === rows[i]);
        expect(verified.out, JSON.stringify(subject)).toMatch(/verify: all \d+ blocks from 1 on are right/);
        outcomes.push(isWhole ? 'whole' : 'earlier');
      } else {
        expect(started.rows, JSON.stringify(subject)).not.toEqual(rows);
        expect(verified.out + verified.err, JSON.stringify(subject)).toMatch(
          verified.code === 2 ? /^hemid: [^\n]+\n$/ : /^differs: [\s\S]*verify: \d+ difference/,
        );
        outcomes.push('found');
      }
      rmSync(data, { recursive: true });
    }
    // A missing table, manifest or CURRENT is never taken for a new beginning.
    if (name !== 'the log') expect(outcomes[0]).toBe('refused');
    expect(outcomes, outcomes.join()).toContain(name === 'the log' ? 'earlier' : 'refused');
    // Of a table LevelDB checks no checksum when it reads a row: only there may a node start on what has rotted.
    if (name !== 'a table') expect(outcomes).not.toContain('found');
  },
  120_000,
);
