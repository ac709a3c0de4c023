import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The shared folder with data nobody here made up. */
export interface SharedData {
  json<T>(path: string): T;
  bytes(path: string): Uint8Array;
}

/** Opens the folder; a file that is missing throws an error that names it. */
export function openSharedData(folder: string): SharedData {
  function read(path: string): Buffer {
    const file = join(folder, path);
    if (!existsSync(file)) throw new Error(`missing file ${file}`);
    return readFileSync(file);
  }
  return {
    json: <T>(path: string) => JSON.parse(read(path).toString('utf8')) as T,
    bytes: (path) => new Uint8Array(read(path)),
  };
}
