import { runDbVerify } from '@hemid/node';
import { isHemidError, toHex } from '@hemid/protocol';
import { systemClock } from '@hemid/runtime';
import { openMemoryStore, type Store } from '@hemid/store';
import { createFaultyStore, dumpStore } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyInto, openVerifier, playScene, type Scene, tell } from './scene.ts';

let scene: Scene;
/** Rows of a node that knows what both branches have. */
let before: Store;
/** What the story leaves on a node that nothing happened to. */
let after: string[];
let writes: number;
beforeAll(async () => {
  scene = await playScene();
  before = await openMemoryStore();
  await tell(await openVerifier(scene, before), scene.past);
  const store = createFaultyStore(await copyInto(await openMemoryStore(), before), { write: undefined, kind: 'lost' });
  const node = await openVerifier(scene, store);
  await tell(node, scene.story);
  after = await dumpStore(store);
  writes = store.writes();
});
afterAll(() => scene.network.close());

/** What `hemid db verify` ends with. */
async function verify(store: Store, write: (line: string) => unknown = (line) => expect.fail(line)): Promise<string> {
  const context = { store, clock: systemClock, write, progress: () => undefined, signal: new AbortController().signal };
  const config = { data: '', chain: undefined, from: undefined, scratch: undefined, unspentSet: undefined };
  return (await runDbVerify(context, { spec: scene.network.spec, config })).line;
}

async function fatal(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (isHemidError(error)) return `${error.severity} ${error.code}`;
    throw error;
  }
  return 'nothing';
}

test('the story has what it is told for: branches of Bitcoin and of L2, a deposit, an index and anchors that move', async () => {
  const blocks = scene.story.flatMap((step) => ('block' in step ? [step.block] : []));
  expect(new Set(blocks.map(({ block }) => toHex(block.header.parentHash))).size).toBeLessThan(blocks.length);
  expect(blocks.some(({ block }) => block.transactions.some((raw) => raw[0] === 0x7e))).toBe(true);
  expect(after.some((row) => row.startsWith('P '))).toBe(true);
  expect(after.some((row) => row.startsWith('D '))).toBe(true);
  expect(after).not.toEqual(await dumpStore(before));
  // Headers, bodies, index, block, for each of five blocks, and the anchors.
  expect(writes).toBeGreaterThan(15);
});

for (const kind of ['lost', 'torn'] as const) {
  const what = kind === 'lost' ? 'fails and leaves nothing' : 'is there although the node was told that it failed';
  test(`whichever write of the story ${what}: the node hears it as fatal, and what is left opens, is right, and goes on to the same rows`, async () => {
    for (let write = 1; write <= writes; write += 1) {
      const disk = await copyInto(await openMemoryStore(), before);
      const node = await openVerifier(scene, createFaultyStore(disk, { write, kind }));
      expect({ write, error: await fatal(tell(node, scene.story)) }).toEqual({ write, error: 'fatal store/write-failed' });

      expect(await verify(disk)).toMatch(/^verify: all \d+ blocks from 1 on are right/);
      const again = await openVerifier(scene, disk);
      // Peers send all of it again, or only what comes next.
      await tell(again, scene.story);
      expect({ write, rows: await dumpStore(disk) }).toEqual({ write, rows: after });
      await disk.close();
    }
  }, 240_000);
}

test('a disk that kept half of a batch would be found out', async () => {
  let wrong = 0;
  for (let write = 1; write <= writes; write += 1) {
    const disk = await copyInto(await openMemoryStore(), before);
    await fatal(tell(await openVerifier(scene, createFaultyStore(disk, { write, kind: 'half' })), scene.story));
    const lines: string[] = [];
    try {
      lines.push(await verify(disk, (line) => lines.push(line)));
    } catch (error) {
      lines.push(`differs: ${(error as Error).message}`);
    }
    if (lines.some((line) => line.startsWith('differs: '))) wrong += 1;
    await disk.close();
  }
  expect(wrong).toBeGreaterThan(writes / 3);
});

test('a node whose write failed never shows a head that is not on disk', async () => {
  for (let write = 1; write <= writes; write += 1) {
    const disk = await copyInto(await openMemoryStore(), before);
    const node = await openVerifier(scene, createFaultyStore(disk, { write, kind: 'lost' }));
    await fatal(tell(node, scene.story));
    const head = toHex(node.chain.head('latest').hash);
    const reopened = await openVerifier(scene, disk);
    expect({ write, head }).toEqual({ write, head: toHex(reopened.chain.head('latest').hash) });
    await disk.close();
  }
});
