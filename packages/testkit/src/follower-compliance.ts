import { deepEqual, notDeepEqual } from 'node:assert/strict';
import { createSeededRandom } from '@hemid/runtime';
import { type Follower, follow, layout, type Store, type Table } from '@hemid/store';

/** A follower and the chain it is held to. */
export interface FollowerCase<B> {
  follower: Follower<B>;
  /** A connected run; the store stands before its first block. Together they must change rows. */
  blocks: readonly B[];
  store: Store;
  /** Of the random walks. */
  seed?: number;
}

const WALKS = 3;
const STEPS = 40;
const LONGEST_STEP = 3;

/** Every row of a store as `prefix key value`, hex; tables in the order of the layout, rows in key order. */
export async function dumpStore(store: Store): Promise<string[]> {
  const rows: string[] = [];
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  for (const table of Object.values(layout) as Table<unknown, unknown>[]) {
    for await (const [key, value] of store.range(table)) rows.push(`${table.prefix} ${hex(table.key.encode(key))} ${hex(table.value.encode(value))}`);
  }
  return rows;
}

/**
 * Holds a follower to its promise: `apply` then `revert` leaves the bytes of the store as they were. Applies all blocks
 * one by one, reverts them, then walks at random, several blocks in one batch; at every block the store must hold what it
 * held there first.
 *
 * @throws an AssertionError that names the step.
 */
export async function checkFollower<B>({ follower, blocks, store, seed = 1 }: FollowerCase<B>): Promise<void> {
  const dumps = [await dumpStore(store)];
  let at = 0;

  /** Moves through the one follower loop, all steps in one batch. */
  async function moveTo(target: number): Promise<void> {
    const key = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 0xff);
    const between = Array.from({ length: Math.abs(target - at) }, (_, i) => key(Math.min(at, target) + i));
    const route = target > at ? { removed: [], added: between } : { removed: between.reverse(), added: [] };
    const batch = store.batch();
    follow({ followers: [follower], route, load: ([high = 0, low = 0]) => blocks[high * 256 + low] as B, batch });
    await batch.commit();
    at = target;
  }

  async function check(step: string): Promise<void> {
    deepEqual(await dumpStore(store), dumps[at], `${follower.name}: ${step} at block ${at} of ${blocks.length}`);
  }

  for (const [i] of blocks.entries()) {
    await moveTo(i + 1);
    dumps.push(await dumpStore(store));
  }
  notDeepEqual(dumps[blocks.length], dumps[0], `${follower.name}: the blocks of the case change nothing`);
  while (at > 0) {
    await moveTo(at - 1);
    await check('the way down');
  }
  for (let walk = 0; walk < WALKS; walk += 1) {
    const random = createSeededRandom(seed + walk);
    for (let step = 0; step < STEPS; step += 1) {
      await moveTo(Math.min(blocks.length, Math.max(0, at + random.between(-LONGEST_STEP, LONGEST_STEP))));
      await check(`step ${step} of the walk with seed ${seed + walk}`);
    }
  }
  await moveTo(0);
  await check('the end');
}
