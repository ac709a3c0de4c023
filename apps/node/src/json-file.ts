import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { fail } from './errors.ts';

/** Reads a JSON file; @throws `node/config` naming it. */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw fail('node/config', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Writes a JSON file so that after a crash it is whole or not there: a temporary file, synced, then renamed. */
export function writeJsonFile(path: string, value: unknown): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, 'w');
  try {
    writeSync(file, `${JSON.stringify(value, null, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
