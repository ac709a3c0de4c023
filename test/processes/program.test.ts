import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HERE = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = 'apps/greeter/src/main.ts';

/** A workspace of one app and one package, with the runner of this one. */
let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hemid-program-test-')));
  for (const folder of ['scripts', 'tmp']) mkdirSync(join(root, folder));
  cpSync(join(HERE, 'scripts/program.mjs'), join(root, 'scripts/program.mjs'));
  mkdirSync(join(root, 'node_modules/@hemid'), { recursive: true });
  symlinkSync(join(HERE, 'node_modules/esbuild'), join(root, 'node_modules/esbuild'));
  write('pnpm-lock.yaml', '');
  write('apps/greeter/package.json', '{ "type": "module" }');
  write('apps/greeter/words.txt', 'hello');
  write(
    ENTRY,
    `import { readFileSync } from 'node:fs';
import { loud } from '@hemid/voice';
const words: string = readFileSync(new URL('../words.txt', import.meta.url), 'utf8');
console.log(loud(words, process.argv.slice(2)));`,
  );
  const face = { name: '@hemid/voice', type: 'module', exports: { '.': { '@hemid/source': './src/index.ts', default: './dist/index.js' } } };
  write('packages/voice/package.json', JSON.stringify(face));
  write('packages/voice/src/index.ts', VOICE);
  symlinkSync(join(root, 'packages/voice'), join(root, 'node_modules/@hemid/voice'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const VOICE = `export function loud(words: string, rest: readonly string[]): string {
  if (rest.length === 0) throw new Error('nobody to greet');
  return [words, ...rest].join(' ').toUpperCase();
}`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const command = [join(root, 'scripts/program.mjs'), ENTRY, ...args];
    execFile(process.execPath, command, { env: { ...process.env, TMPDIR: join(root, 'tmp') } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const bundles = (): string[] => readdirSync(join(root, 'node_modules/.cache/hemid'));

test('three processes that begin at once make one bundle, and the next ones run it', async () => {
  const all = await Promise.all([run('ann'), run('bob'), run('eve')]);
  expect(all.map(({ out }) => out)).toEqual(['HELLO ANN\n', 'HELLO BOB\n', 'HELLO EVE\n']);
  const made = bundles();
  expect(made).toHaveLength(1);
  expect(await run('you')).toEqual({ code: 0, out: 'HELLO YOU\n', err: '' });
  expect(bundles()).toEqual(made);
});

test('a change of a source is seen by the next start, and so is the way back', async () => {
  await run('ann');
  write('packages/voice/src/index.ts', VOICE.replace("' '", "', '"));
  expect((await run('ann')).out).toBe('HELLO, ANN\n');
  write('packages/voice/src/index.ts', VOICE);
  expect((await run('ann')).out).toBe('HELLO ANN\n');
  expect(bundles()).toHaveLength(2);
});

test('an error names the line of the source it comes from', async () => {
  const { code, err } = await run();
  expect(code).toBe(1);
  expect(err).toContain(`${join(root, 'packages/voice/src/index.ts')}:2:`);
});

test('where the workspace cannot be written in, the program runs all the same and leaves nothing behind', async () => {
  write('node_modules/.cache', 'in the way');
  expect(await run('ann')).toEqual({ code: 0, out: 'HELLO ANN\n', err: '' });
  expect((await run()).err).toContain(`${join(root, 'packages/voice/src/index.ts')}:2:`);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('a program that is made of files whose changes would not be seen is refused', async () => {
  write('elsewhere/index.ts', VOICE);
  write('packages/voice/src/index.ts', "export { loud } from '../../../elsewhere/index.ts';");
  const { code, err } = await run('ann');
  expect(code).toBe(1);
  expect(err).toContain('does not look at: elsewhere/index.ts');
});
