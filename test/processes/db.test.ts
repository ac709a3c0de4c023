import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDbVerify } from '@hemid/node';
import { fromHex, isHemidError } from '@hemid/protocol';
import { systemClock } from '@hemid/runtime';
import { layout, openStore, type Store } from '@hemid/store';
import { dumpStore, type ProgramEnd, runProgram } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openVerifier, playScene, type Scene, type Step, tell, writeChainSpec } from '../faults/scene.ts';

let scene: Scene;
let directory: string;
/** A database with the scene; tests copy what they change. */
let data: string;
beforeAll(async () => {
  scene = await playScene();
  directory = mkdtempSync(join(tmpdir(), 'hemid-db-'));
  data = await makeData('whole', [...scene.past, ...scene.story]);
});
afterAll(async () => {
  await scene.network.close();
  rmSync(directory, { recursive: true, force: true });
});

const storeOf = (path: string): Promise<Store> => openStore(join(path, 'node'));

async function makeData(name: string, steps: readonly Step[]): Promise<string> {
  const path = join(directory, name);
  mkdirSync(path);
  await writeChainSpec(scene, path);
  const store = await storeOf(path);
  await tell(await openVerifier(scene, store), steps);
  await store.close();
  return path;
}

interface End extends ProgramEnd {
  /** The last line of the answer. */
  last: string;
}

async function db(...args: string[]): Promise<End> {
  const end = await runProgram('apps/node/src/main.ts', ['db', ...args]);
  return { ...end, last: end.out.trimEnd().split('\n').pop() ?? '' };
}

async function withStore<T>(path: string, look: (store: Store) => Promise<T>): Promise<T> {
  const store = await storeOf(path);
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

const headNumber = (): bigint =>
  scene.story.reduce((max, step) => ('block' in step && step.block.block.header.number > max ? step.block.block.header.number : max), 0n);
const chainArgs = (): string[] => ['--chain', join(data, 'chain.json')];

test('help names every command, and what is wrong with a call is one line and exit code 2', async () => {
  const help = await db('--help');
  for (const name of ['stats', 'verify', 'export FILE', 'import FILE', 'rollback N', 'compact']) expect(help.out).toContain(`hemid db ${name}`);
  const calls: [string[], RegExp][] = [
    [['stats', '--data', join(directory, 'nowhere')], /^hemid: there is no database in .*nowhere/],
    [['rollback', '--data', data], /^hemid: hemid db rollback needs one N/],
    [['rollback', 'many', '--data', data], /^hemid: "many" is no number of blocks/],
    [['verify', '--data', data, '--from', '1000000'], /^hemid: --from 1000000 is above the head/],
  ];
  for (const [args, message] of calls) {
    const end = await db(...args);
    expect({ args, code: end.code, lines: end.err.trimEnd().split('\n').length }).toEqual({ args, code: 2, lines: 1 });
    expect(end.err).toMatch(message);
  }
});

test('a directory in use is refused in the words of the store', async () => {
  await withStore(data, async () => {
    const end = await db('stats', '--data', data);
    expect(end).toMatchObject({ code: 2, out: '' });
    expect(end.err).toMatch(/in use by another process.*\(store\/locked\)\n$/);
  });
});

test('stats counts the rows and bytes of every table and says where everything stands', async () => {
  const rows = await withStore(data, dumpStore);
  const end = await db('stats', '--data', data);
  expect(end.code).toBe(0);
  for (const [name, { prefix }] of Object.entries(layout)) {
    const own = rows.filter((row) => row.startsWith(`${prefix} `));
    const bytes = own.reduce((sum, row) => sum + 1 + (row.length - 3) / 2, 0);
    const line = end.out.split('\n').find((one) => one.startsWith(`${name} (${prefix})`)) ?? '';
    expect(line.replaceAll(',', '').split(/\s+/).slice(2)).toEqual([`${own.length}`, `${bytes}`]);
  }
  expect(end.out).toMatch(/^state: block \d+ 0x/m);
  expect(end.out).toMatch(/^bitcoin index: height \d+ /m);
  expect(end.last).toMatch(new RegExp(`^stats: [0-9,]+ rows, [0-9,]+ bytes, head ${headNumber()} 0x`));
});

test('verify finds a right database right, from the genesis and from a block on, and writes nothing to it', async () => {
  const before = await withStore(data, dumpStore);
  const whole = await db('verify', '--data', data);
  expect(whole).toMatchObject({ code: 0, err: '' });
  expect(whole.last).toMatch(new RegExp(`^verify: all ${headNumber()} blocks from 1 on are right, head ${headNumber()} `));
  const part = await db('verify', '--data', data, '--from', '4');
  expect(part).toMatchObject({ code: 0, err: '' });
  expect(part.last).toMatch(new RegExp(`^verify: all ${headNumber() - 3n} blocks from 4 on are right`));
  expect(await withStore(data, dumpStore)).toEqual(before);
});

test('verify names any row that is changed, missing or too much, and says that the database is wrong', async () => {
  const path = await makeData('changed', [...scene.past, ...scene.story]);
  const rows = await withStore(path, dumpStore);
  const tables = [
    'canonical',
    'transaction',
    'keystone',
    'historyProof',
    'state',
    'stateHistory',
    'stateUndo',
    'header',
    'block',
    'receipts',
  ] as const;
  const bitcoinTables = ['bitcoinBlock', 'bitcoinHeader', 'output', 'script', 'bitcoinTransaction', 'anchor'] as const;
  const plain = { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes };
  await withStore(path, async (store) => {
    /** The last line of `verify`, or the error that it ends with. */
    async function verify(): Promise<string> {
      const lines: string[] = [];
      const context = {
        store,
        clock: systemClock,
        write: (line: string) => lines.push(line),
        progress: () => undefined,
        signal: new AbortController().signal,
      };
      const config = { data: path, chain: undefined, from: undefined, scratch: undefined, unspentSet: undefined };
      try {
        const end = await runDbVerify(context, { spec: scene.network.spec, config });
        expect(end.isWrong === true).toBe(lines.some((line) => line.startsWith('differs: ')));
        return [...lines, end.line].join('\n');
      } catch (error) {
        if (!isHemidError(error)) throw error;
        return `${error.severity} ${error.code}: ${error.message}`;
      }
    }
    const set = async (prefix: string, key: Uint8Array, value: Uint8Array | undefined): Promise<void> => {
      const batch = store.batch();
      const table = { prefix, key: plain, value: plain };
      if (value === undefined) batch.del(table, key);
      else batch.put(table, key, value);
      await batch.commit();
    };
    for (const name of [...tables, ...bitcoinTables]) {
      const { prefix } = layout[name];
      // The last row of a block table may be of the branch that lost: the canonical ones are meant.
      const own = rows.filter((row) => row.startsWith(`${prefix} `));
      const canonical = rows.filter((row) => row.startsWith('n ')).map((row) => row.split(' ')[2] ?? '');
      // So it is of Bitcoin's: what is meant is where the anchors stand.
      const anchored = rows
        .find((row) => row.startsWith(`x ${Buffer.from('anchors').toString('hex')} `))
        ?.split(' ')[2]
        ?.slice(0, 64);
      const isPick = (row: string): boolean => {
        if (['header', 'block', 'receipts'].includes(name)) return row.split(' ')[1] === canonical[3];
        return !['bitcoinBlock', 'bitcoinHeader'].includes(name) || row.split(' ')[1] === anchored;
      };
      const row = own.filter(isPick).at(-1);
      if (row === undefined) throw new Error(`the scene has no row in ${name}`);
      const [key, value] = row
        .split(' ')
        .slice(1)
        .map((digits) => fromHex(`0x${digits}`)) as [Uint8Array, Uint8Array];
      // A row of the history without bytes says that there was none before.
      const changed = value.length === 0 ? Uint8Array.of(0) : value.slice();
      changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
      for (const damage of [changed, undefined]) {
        await set(prefix, key, damage);
        expect(await verify(), `${name} ${damage === undefined ? 'missing' : 'changed'}`).toMatch(
          /^differs: [\s\S]*\nverify: \d+ differences?; |^(fatal|retry|invalid) /,
        );
      }
      await set(prefix, key, value);
    }
    for (const [prefix, key] of [
      ['f', 'a12345678901234567890'],
      ['T', 't'.repeat(32)],
    ] as const) {
      const value = layout.transaction.value.encode({ blockHash: new Uint8Array(32), index: 0 });
      await set(prefix, new TextEncoder().encode(key), value);
      expect(await verify()).toMatch(/has a row [0-9a-f]+ that must not be there\nverify: 1 difference;/);
      await set(prefix, new TextEncoder().encode(key), undefined);
    }
    expect(await verify()).toMatch(/^verify: all /);
  });
}, 120_000);

test('export and import carry the chain into an empty directory, and what is imported is right', async () => {
  const file = join(directory, 'blocks.bin');
  const out = await db('export', file, '--data', data);
  expect(out.code).toBe(0);
  expect(out.last).toMatch(
    new RegExp(`^export: blocks 1 to ${headNumber()} 0x[0-9a-f]{64} and \\d+ Bitcoin blocks, ${readFileSync(file).length} bytes in `),
  );
  const target = join(directory, 'imported');
  const into = await db('import', file, '--data', target, ...chainArgs());
  expect(into).toMatchObject({ code: 0, err: '' });
  const head = / 0x[0-9a-f]{64}/.exec(out.last)?.[0] ?? '';
  expect(into.last).toBe(`import: ${headNumber()} blocks executed, 0 were here, head ${headNumber()}${head}`);
  expect((await db('verify', '--data', target, ...chainArgs())).code).toBe(0);
  expect((await db('import', file, '--data', target, ...chainArgs())).last).toBe(
    `import: 0 blocks executed, ${headNumber()} were here, head ${headNumber()}${head}`,
  );
});

test('a file that is cut off or damaged is named with the offset; the import goes on when the whole file is there', async () => {
  const file = join(directory, 'whole.bin');
  await db('export', file, '--data', data);
  const bytes = readFileSync(file);
  const target = join(directory, 'resumed');
  const cut = join(directory, 'cut.bin');
  writeFileSync(cut, bytes);
  truncateSync(cut, Math.floor(bytes.length / 2));
  const half = await db('import', cut, '--data', target, ...chainArgs());
  expect(half).toMatchObject({ code: 1, out: '' });
  expect(half.err).toMatch(
    new RegExp(`^hemid: ${cut} is cut off at offset ${Math.floor(bytes.length / 2)}, in what begins at \\d+ \\(node/db-file\\)\\n$`),
  );

  for (const offset of [0, 30, 100, Math.floor(bytes.length / 3), bytes.length - 3]) {
    const damaged = Buffer.from(bytes);
    damaged[offset] = (damaged[offset] ?? 0) ^ 0x40;
    writeFileSync(cut, damaged);
    const end = await db('import', cut, '--data', join(directory, `damaged-${offset}`), ...chainArgs());
    expect({ offset, code: end.code, out: end.out }).toEqual({ offset, code: 1, out: '' });
    expect(end.err).toMatch(offset === 0 ? /is no file of hemid db export/ : /is (damaged|cut off) at offset \d+/);
  }
  writeFileSync(cut, Buffer.concat([bytes, Buffer.from('more')]));
  expect((await db('import', cut, '--data', join(directory, 'more'), ...chainArgs())).err).toMatch(/something follows the end/);

  const rest = await db('import', file, '--data', target, ...chainArgs());
  expect(rest.code).toBe(0);
  const [, executed, known] = /^import: (\d+) blocks executed, (\d+) were here/.exec(rest.last) ?? [];
  expect(Number(known)).toBeGreaterThan(0);
  expect(BigInt(executed ?? 0) + BigInt(known ?? 0)).toBe(headNumber());
}, 120_000);

test('rollback goes back, forgets what is above, keeps sealed slots, and the same blocks can come again', async () => {
  const path = await makeData('back', [...scene.past, ...scene.story]);
  const sealedSlots = async (): Promise<unknown[]> =>
    withStore(path, async (store) => {
      const rows = [];
      for await (const row of store.range(layout.sealedSlot)) rows.push(row);
      return rows;
    });
  await withStore(path, async (store) => {
    const batch = store.batch();
    batch.put(layout.sealedSlot, 27n, new Uint8Array(32).fill(7));
    await batch.commit();
  });
  const before = await withStore(path, dumpStore);
  const sealed = await sealedSlots();
  const end = await db('rollback', '5', '--data', path);
  expect(end.code).toBe(0);
  expect(end.last).toMatch(
    new RegExp(
      `^rollback: 5 blocks taken back, from ${headNumber()} 0x.* to head ${headNumber() - 5n} 0x.*, 2 blocks of other branches above it are forgotten too; sealed slots stay sealed$`,
    ),
  );
  expect(await sealedSlots()).toEqual(sealed);
  expect(sealed).toHaveLength(1);
  expect((await db('verify', '--data', path)).code).toBe(0);
  await withStore(path, async (store) => tell(await openVerifier(scene, store), [...scene.past, ...scene.story]));
  expect(await withStore(path, dumpStore)).toEqual(before);

  const far = await db('rollback', '1000', '--data', path);
  expect(far).toMatchObject({ code: 1, out: '' });
  expect(far.err).toMatch(new RegExp(`^hemid: the head ${headNumber()} can go back ${headNumber()} blocks at most: .*\\(node/db-reach\\)\\n$`));
  expect(await withStore(path, dumpStore)).toEqual(before);
});

test('compact keeps every row', async () => {
  const before = await withStore(data, dumpStore);
  const end = await db('compact', '--data', data);
  expect(end).toMatchObject({ code: 0, err: '' });
  expect(end.last).toMatch(/^compact: [0-9.]+ MiB before, [0-9.]+ MiB now$/);
  expect(await withStore(data, dumpStore)).toEqual(before);
});
