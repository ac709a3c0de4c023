import { existsSync, readdirSync, statSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';
import { MemoryLevel } from 'memory-level';
import { COMMIT_RANGE, openCommitChain } from './commit-chain.ts';
import { fail } from './errors.ts';
import { createStore, type Guard, type Level, levelError, type Store } from './store.ts';

/** Changes whenever rows that are on disk change their meaning. */
const SCHEMA = 4;
/** Its row: in no table, and not in the range of the commit chain. */
const SCHEMA_KEY = Uint8Array.of(0x01);

/** A store in memory, for tests and for the throw-away mode of tools. */
export async function openMemoryStore(): Promise<Store> {
  const level = new MemoryLevel<Uint8Array, Uint8Array>({
    keyEncoding: 'view',
    valueEncoding: 'view',
    storeEncoding: 'view',
  });
  await level.open();
  return createStore(level as unknown as Level);
}

const ENCODING = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/** Who in this process opens a database. */
export interface OpenOptions {
  /** `several`: other threads may read it meanwhile, by the same path ({@link openStoreReader}). */
  threads?: 'one' | 'several';
}

/**
 * Opens (and creates, if it is not there) the database in `directory`.
 *
 * @throws `store/locked` when another process has it open, `store/corrupt` when LevelDB finds damage,
 * `store/version` when another version of hemid wrote it, `store/unusable` otherwise. Nothing is deleted in any of these cases.
 */
export async function openStore(directory: string, { threads = 'one' }: OpenOptions = {}): Promise<Store> {
  assertCurrent(directory);
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    ...ENCODING,
    multithreading: threads === 'several',
    paranoidChecks: true,
    // Most of what is kept is hashes: compression saves a twentieth of the disk and costs a tenth of the processor time of a block.
    compression: false,
    // Bulk writes pay for every flush: larger tables, fewer of them. Two such buffers and the cache are the memory it takes.
    writeBufferSize: 16 << 20,
    cacheSize: 32 << 20,
    // Open tables are mapped into memory: fewer than LevelDB's 1000, and larger.
    maxFileSize: 4 << 20,
    maxOpenFiles: 64,
  } as object);
  try {
    await level.open();
  } catch (error) {
    throw openError(directory, error);
  }
  try {
    const chain = await openCommitChain(level.keys(COMMIT_RANGE), directory);
    await checkSchema(level, directory);
    return createStore(level as unknown as Level, { chain, compact: () => level.compactRange(new Uint8Array(), Uint8Array.of(0xff)) });
  } catch (error) {
    await level.close();
    throw levelError('read', error);
  }
}

/** A database that another thread writes, as it is whenever it is read. */
export interface StoreReader extends Store {
  /** The database as it is now: nothing that is written later shows. To be closed. */
  snapshot(): Store;
}

/**
 * Opens a database that the main thread of this process has open for several threads, to read it; to be closed before the
 * main thread closes its own. A thread that is ended while it is in `guard` leaves behind what nobody can close any more,
 * and LevelDB aborts the process when the database is closed.
 *
 * @throws `store/locked` when nobody has it open so.
 */
export async function openStoreReader(directory: string, guard: Guard = (make) => make()): Promise<StoreReader> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, { ...ENCODING, multithreading: true, createIfMissing: false, cacheSize: 0 });
  try {
    await level.open();
  } catch (error) {
    throw openError(directory, error);
  }
  const shared = level as unknown as Level;
  return {
    ...createStore(shared, { role: 'reader', guard }),
    snapshot: () => createStore(shared, { role: 'reader', guard, snapshot: guard(() => level.snapshot()) }),
  };
}

/** Notes the schema in a new database. @throws `store/version` when an old one has another. */
async function checkSchema(level: ClassicLevel<Uint8Array, Uint8Array>, directory: string): Promise<void> {
  const [first] = await level.keys({ limit: 1 }).all();
  if (first === undefined) return level.put(SCHEMA_KEY, Uint8Array.of(SCHEMA), { sync: true });
  const schema = level.getSync(SCHEMA_KEY)?.[0] ?? 1;
  if (schema === SCHEMA) return;
  throw fail('store/version', `${directory} was written by another version of hemid (schema ${schema}, this one has ${SCHEMA}). ${REMEDY}`);
}

const REMEDY = 'Move the directory away and let the node sync again from its upstream';

/** Where CURRENT is gone LevelDB would begin anew and delete what is there. */
function assertCurrent(directory: string): void {
  const names = existsSync(directory) && statSync(directory).isDirectory() ? readdirSync(directory) : [];
  if (names.includes('CURRENT') || !names.some((name) => /^MANIFEST-|\.(ldb|log)$/.test(name))) return;
  throw fail('store/corrupt', `${directory} is damaged (its file CURRENT is missing). ${REMEDY}`);
}

function openError(directory: string, error: unknown): Error {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const reason = cause?.message ?? String(error);
  if (cause?.code === 'LEVEL_LOCKED') {
    return fail('store/locked', `${directory} is in use by another process: stop it, or choose another --data directory`, {
      cause: error,
    });
  }
  if (cause?.code === 'LEVEL_CORRUPTION' || /corrupt/i.test(reason)) {
    return fail('store/corrupt', `${directory} is damaged (${reason}). ${REMEDY}`, {
      cause: error,
    });
  }
  return fail('store/unusable', `cannot open ${directory}: ${reason}`, { cause: error });
}
