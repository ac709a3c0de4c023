// Runs a program of the workspace from its sources: node scripts/program.mjs apps/NAME/src/FILE.ts [ARGS...]
//
// A loader that hands Node one source after the other takes two seconds of work at each start. Here the sources are bundled, one file
// for each part that is loaded when it is needed, once for each state of them; what is installed stays where it is.
// Plain JavaScript, because nothing else can load it.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/hemid');
const MAIN = 'main';
/** Where a source lies, and how it names the file that boots a worker thread. */
const PLACE = /('\.\.\/worker\/([\w-]+\.mjs)', )?import\.meta\.url/g;
const DAY_MS = 86_400_000;

/** All that a bundle may be made of, and what says how it is made: paths from the root. */
function readInputs() {
  const inputs = ['scripts/program.mjs', 'pnpm-lock.yaml'];
  for (const group of ['apps', 'packages']) {
    for (const name of readdirSync(join(ROOT, group))) {
      const folders = ['src', 'worker'].map((folder) => join(ROOT, group, name, folder)).filter((folder) => existsSync(folder));
      if (folders.length === 0) continue;
      inputs.push(join(group, name, 'package.json'));
      const found = folders.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }));
      inputs.push(...found.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name).slice(ROOT.length)));
    }
  }
  return inputs.sort();
}

/** Another name as soon as a byte of an input, or the place of them all, is another. */
function nameOf(entry, inputs) {
  const hash = createHash('sha256').update(`${ROOT}\0${entry}\0`);
  for (const path of inputs) {
    const contents = readFileSync(join(ROOT, path));
    hash.update(`${path}\0${contents.length}\0`).update(contents);
  }
  return hash.digest('hex');
}

const workspaceOnly = {
  name: 'workspace-only',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || path.startsWith('node:') || pluginData === 'resolving') return undefined;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: 'resolving' });
      if (!found.path.includes('/node_modules/')) return found;
      return { path: pathToFileURL(found.path).href, external: true };
    });
    // A source that looks for its neighbours finds them where it lies, not beside the bundle; workers are in the bundle.
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const ownUrl = JSON.stringify(pathToFileURL(path).href);
      const contents = readFileSync(path, 'utf8').replace(PLACE, (_, worker, name) => (worker ? `'./${name}', import.meta.url` : ownUrl));
      return { contents, loader: 'ts' };
    });
  },
};

/** The code with its map, which names the sources by where they lie, because a bundle may lie anywhere. */
function withMap(code, map) {
  const sources = map.sources.map((path) => pathToFileURL(join(CACHE, path)).href);
  const base64 = Buffer.from(JSON.stringify({ ...map, sources })).toString('base64');
  return `${code}//# sourceMappingURL=data:application/json;base64,${base64}\n`;
}

/** @returns the files of the bundle, by name; MAIN.mjs is the one to run. */
async function bundle(entry, inputs) {
  const { build, stop } = await import('esbuild');
  const workers = inputs.filter((path) => /\/worker\/[\w-]+\.mjs$/.test(path));
  const { outputFiles, metafile } = await build({
    entryPoints: [{ in: join(ROOT, entry), out: MAIN }, ...workers.map((path) => ({ in: join(ROOT, path), out: basename(path, '.mjs') }))],
    absWorkingDir: ROOT,
    outdir: CACHE,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@hemid/source'],
    sourcemap: 'external',
    sourcesContent: false,
    plugins: [workspaceOnly],
  });
  await stop();
  const strangers = Object.keys(metafile.inputs).filter((path) => !inputs.includes(path));
  if (strangers.length > 0) throw new Error(`${entry} is made of files that scripts/program.mjs does not look at: ${strangers.join(', ')}`);
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  return [...texts]
    .filter(([name]) => !name.endsWith('.map'))
    .map(([name, code]) => ({ name, text: withMap(code, JSON.parse(texts.get(`${name}.map`))) }));
}

/** The folder of the bundles; one for this process alone where the workspace is not ours to write in. */
function openCache() {
  try {
    mkdirSync(CACHE, { recursive: true });
    const trial = join(CACHE, randomUUID());
    writeFileSync(trial, '');
    rmSync(trial);
    return CACHE;
  } catch {
    const own = mkdtempSync(join(tmpdir(), 'hemid-program-'));
    process.on('exit', () => rmSync(own, { recursive: true, force: true }));
    return own;
  }
}

/** A program reads what it needs of its bundle when it starts, so one that still runs does not miss an old one. */
function forgetOld(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - made > DAY_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns the file to run for `entry`, bundled now if nobody did; a bundle appears whole, however many make it at once. */
async function bundleOf(entry) {
  const inputs = readInputs();
  const name = nameOf(entry, inputs);
  const made = join(CACHE, name, `${MAIN}.mjs`);
  if (existsSync(made)) return made;
  const files = await bundle(entry, inputs);
  const folder = openCache();
  const unfinished = join(folder, randomUUID());
  mkdirSync(unfinished);
  for (const file of files) writeFileSync(join(unfinished, file.name), file.text);
  try {
    renameSync(unfinished, join(folder, name));
  } catch (error) {
    if (!existsSync(made)) throw error;
    rmSync(unfinished, { recursive: true });
  }
  forgetOld(folder);
  return join(folder, name, `${MAIN}.mjs`);
}

const entry = process.argv[2];
if (entry === undefined || !existsSync(join(ROOT, entry))) {
  process.stderr.write('usage: node scripts/program.mjs apps/NAME/src/FILE.ts [ARGS...]\n');
  process.exit(2);
}
const file = await bundleOf(entry);
process.argv.splice(1, 2, join(ROOT, entry));
process.setSourceMapsEnabled(true);
await import(pathToFileURL(file).href);
