import { readFileSync } from 'node:fs';
import { fromHex } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { fail } from './errors.ts';

/** Where 32 secret bytes come from: hex in the configuration, or a file with 64 hex digits. */
export interface KeyOrigin {
  hex: string | undefined;
  file: string | undefined;
  /** For messages, e.g. `sequencer key`. */
  what: string;
  /** How to give it, for the message when it is missing. */
  how: string;
}

/** Reads 32 secret bytes. @throws `node/config` */
export function readKey({ hex, file, what, how }: KeyOrigin): Secret<Uint8Array> {
  if (hex !== undefined) return new Secret(fromHex(hex));
  if (file === undefined) throw fail('node/config', `the ${what} is missing: ${how}`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw fail('node/config', `cannot read the ${what} file ${file}: ${(cause as Error).message}`, { cause });
  }
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) throw fail('node/config', `${file} does not hold 64 hex digits`);
  return new Secret(fromHex(text));
}
