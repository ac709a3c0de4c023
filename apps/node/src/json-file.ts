import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

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
