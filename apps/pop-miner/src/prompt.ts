import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Secret } from '@hemid/runtime';
import { fail } from './errors.ts';

/** Asks a person for a password; `undefined` when nobody sits at a terminal. */
export type AskSecret = (question: string) => Promise<Secret<string> | undefined>;

/**
 * Asks at the terminal, without showing what is typed.
 *
 * @throws `popmd/interrupted` when the person leaves.
 */
export const askSecret: AskSecret = async (question) => {
  if (!process.stdin.isTTY) return undefined;
  process.stderr.write(question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silence, terminal: true });
  const left = new Promise<never>((_, reject) => {
    reader.once('close', () => reject(fail('popmd/interrupted', 'no password was given')));
  });
  try {
    return new Secret(await Promise.race([reader.question(''), left]));
  } finally {
    left.catch(() => undefined);
    reader.close();
    process.stderr.write('\n');
  }
};
