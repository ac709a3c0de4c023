import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The shared folder with data nobody here made up. */
export interface SharedData {
  json<T>(path: string): T;
  bytes(path: string): Uint8Array;
  text(path: string): string;
  gzippedJson<T>(path: string): T;
  /** Names of the files in a folder, sorted. */
  list(path: string): string[];
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
    text: (path) => read(path).toString('utf8'),
    gzippedJson: <T>(path: string) => JSON.parse(gunzipSync(read(path)).toString('utf8')) as T,
    list: (path) => readdirSync(join(folder, path)).sort(),
  };
}
