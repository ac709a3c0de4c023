import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DbContext, DbEnd } from './db-node.ts';

const sizeOf = (directory: string): number =>
  readdirSync(directory).reduce((sum, name) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0), 0);

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** `hemid db compact`: lets LevelDB rewrite all of its files. */
export async function runDbCompact({ store }: DbContext, directory: string): Promise<DbEnd> {
  const before = sizeOf(directory);
  await store.compact();
  return { line: `compact: ${mebibytes(before)} before, ${mebibytes(sizeOf(directory))} now` };
}
