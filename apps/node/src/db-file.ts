import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { concat, equal, fromBigEndian, toBigEndian } from '@hemid/protocol';
import { fail } from './errors.ts';

/**
 * A file of blocks:
 *
 * - head: `hemidblk` ‖ version u32 (1) ‖ genesis hash 32 ‖ first block u64 ‖ last block u64 ‖ check 8
 * - frames: kind u8 ‖ length u32 ‖ payload ‖ check 8. `B`: a raw Bitcoin block; `L`: a sealed L2 block, RLP. Before an
 *   L2 block stand the Bitcoin blocks that it and no earlier one of the file needs.
 * - end: a frame `E` with the sha256 of every byte before it; nothing follows.
 *
 * Numbers are big-endian; a check is the first 8 bytes of the sha256 of what it closes, from the kind (or the magic) on.
 */
export interface BlockFileHead {
  genesis: Uint8Array;
  first: bigint;
  last: bigint;
}

export type BlockFrameKind = 'B' | 'L';

export interface BlockFrame {
  kind: BlockFrameKind;
  payload: Uint8Array;
  /** Where in the file the frame begins. */
  offset: number;
}

const MAGIC = new TextEncoder().encode('hemidblk');
const VERSION = 1;
const HEAD_SIZE = 60;
const CHECK_SIZE = 8;
const MAX_PAYLOAD = 64 << 20;

const checkOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest()).subarray(0, CHECK_SIZE);

/** A block file that is being written; it bears its name only when it is whole. */
export interface BlockFileWriter {
  put(kind: BlockFrameKind, payload: Uint8Array): void;
  /** Writes the end, syncs, and gives the file its name; @returns its size. */
  finish(): number;
  /** Closes what is unfinished. */
  close(): void;
}

/** Starts a block file. */
export function createBlockFile(path: string, head: BlockFileHead): BlockFileWriter {
  const temporary = `${path}.tmp`;
  let file: number | undefined;
  try {
    file = openSync(temporary, 'w');
  } catch (cause) {
    throw fail('node/config', `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
  const hash = createHash('sha256');
  let size = 0;

  function append(bytes: Uint8Array): void {
    const whole = concat(bytes, checkOf(bytes));
    hash.update(whole);
    size += writeSync(file as number, whole);
  }

  const frame = (kind: string, payload: Uint8Array): void =>
    append(concat(new TextEncoder().encode(kind), toBigEndian(BigInt(payload.length), 4), payload));

  function close(): void {
    if (file !== undefined) closeSync(file);
    file = undefined;
  }

  append(concat(MAGIC, toBigEndian(BigInt(VERSION), 4), head.genesis, toBigEndian(head.first, 8), toBigEndian(head.last, 8)));
  return {
    put: frame,
    finish() {
      frame('E', new Uint8Array(hash.copy().digest()));
      fsyncSync(file as number);
      close();
      renameSync(temporary, path);
      return size;
    },
    close,
  };
}

/** A block file that is being read. */
export interface BlockFileReader {
  head: BlockFileHead;
  /** @throws `node/db-file` naming the offset at which the file is cut off or damaged; everything before it was yielded. */
  frames(): Iterable<BlockFrame>;
  close(): void;
}

/** Opens a block file and reads its head. */
export function openBlockFile(path: string): BlockFileReader {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw fail('node/config', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  const hash = createHash('sha256');
  let offset = 0;

  const damaged = (at: number, what: string): Error =>
    fail('node/db-file', `${path} is damaged at offset ${at}: ${what}`, { details: { offset: at } });

  function read(length: number, at: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const count = readSync(file, bytes, 0, length, offset);
    if (count < length) {
      throw fail('node/db-file', `${path} is cut off at offset ${offset + count}, in what begins at ${at}`, { details: { offset: offset + count } });
    }
    offset += length;
    return bytes;
  }

  function readHead(): BlockFileHead {
    const bytes = read(HEAD_SIZE, 0);
    if (!equal(bytes.subarray(0, 8), MAGIC)) throw fail('node/db-file', `${path} is no file of hemid db export`, { details: { offset: 0 } });
    const version = fromBigEndian(bytes.subarray(8, 12));
    const check = read(CHECK_SIZE, 0);
    if (!equal(check, checkOf(bytes))) throw damaged(0, 'the head does not have its checksum');
    if (version !== BigInt(VERSION)) throw fail('node/db-file', `${path} has version ${version}, this program reads ${VERSION}`);
    hash.update(bytes).update(check);
    return { genesis: bytes.slice(12, 44), first: fromBigEndian(bytes.subarray(44, 52)), last: fromBigEndian(bytes.subarray(52, 60)) };
  }

  function readEnd(at: number, digest: Uint8Array, before: Hash): void {
    if (!equal(digest, new Uint8Array(before.digest()))) throw damaged(at, 'the file does not have its checksum');
    if (readSync(file, new Uint8Array(1), 0, 1, offset) > 0) throw damaged(offset, 'something follows the end');
  }

  function* frames(): Iterable<BlockFrame> {
    for (;;) {
      const at = offset;
      const start = read(5, at);
      const length = Number(fromBigEndian(start.subarray(1)));
      if (length > MAX_PAYLOAD) throw damaged(at, `a frame of ${length} bytes`);
      const payload = read(length, at);
      const check = read(CHECK_SIZE, at);
      const whole = concat(start, payload);
      if (!equal(check, checkOf(whole))) throw damaged(at, 'a frame does not have its checksum');
      const kind = String.fromCharCode(start[0] ?? 0);
      if (kind === 'E') return readEnd(at, payload, hash);
      if (kind !== 'B' && kind !== 'L') throw damaged(at, `a frame of the unknown kind ${start[0]}`);
      hash.update(whole).update(check);
      yield { kind, payload, offset: at };
    }
  }

  try {
    return { head: readHead(), frames, close: () => closeSync(file) };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
