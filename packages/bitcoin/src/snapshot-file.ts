import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { BitcoinNetwork } from '@hemid/protocol';
import { fail } from './errors.ts';
import { type CoinGroup, damaged, readCoinGroup } from './snapshot-coin.ts';

/** What stands at the head of a `dumptxoutset` file. */
export interface SnapshotHead {
  /** The network's message start bytes. */
  magic: Uint8Array;
  /** The block after which these outputs are unspent, internal order. */
  baseHash: Uint8Array;
  coins: bigint;
}

/** Coins up to a boundary between two transactions. */
export interface SnapshotChunk {
  groups: CoinGroup[];
  /** Offset in the file behind them. */
  next: number;
}

/** A `dumptxoutset` file of Bitcoin Core or Knots from 29 on (version 2), open for reading. */
export interface SnapshotFile {
  head: SnapshotHead;
  size: number;
  /**
   * All coins from `offset` on ({@link SNAPSHOT_HEAD_SIZE}, or a {@link SnapshotChunk.next}), some thousand at a
   * time: memory does not grow with the file. @throws `bitcoin/unspent-file` where it ends too early or is damaged.
   */
  chunks(offset: number): AsyncGenerator<SnapshotChunk>;
  close(): Promise<void>;
}

const MAGIC = Uint8Array.of(0x75, 0x74, 0x78, 0x6f, 0xff);
const VERSION = 2;
/** Some 15,000 coins: their rows are one batch. */
const CHUNK_BYTES = 1 << 19;
/** No transaction has more outputs than fit into a block: far below this. */
const MAX_GROUP_BYTES = 64 << 20;

/** Bytes before the first coin. */
export const SNAPSHOT_HEAD_SIZE = 51;

const MESSAGE_STARTS: Record<BitcoinNetwork, string> = {
  mainnet: 'f9beb4d9',
  testnet4: '1c163f28',
  signet: '0a03cf40',
  regtest: 'fabfb5da',
};

/** The 4 message start bytes of a network; those of a signet follow from its challenge script (BIP325). */
export function messageStart(network: BitcoinNetwork, signetChallenge?: Uint8Array): Uint8Array {
  if (signetChallenge === undefined) return new Uint8Array(Buffer.from(MESSAGE_STARTS[network], 'hex'));
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  const { length } = signetChallenge;
  const size = length < 0xfd ? [length] : [0xfd, length & 0xff, length >> 8];
  return new Uint8Array(sha256(sha256(Uint8Array.of(...size, ...signetChallenge))).subarray(0, 4));
}

function readHead(bytes: Uint8Array): SnapshotHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < SNAPSHOT_HEAD_SIZE || Buffer.compare(bytes.subarray(0, 5), MAGIC) !== 0) {
    throw fail('bitcoin/unspent-file', 'the file of the unspent set is not one that dumptxoutset of bitcoind has written');
  }
  const version = view.getUint16(5, true);
  if (version !== VERSION) {
    throw fail('bitcoin/unspent-file', `the file of the unspent set has version ${version}: version ${VERSION} (Core or Knots 29) is needed`);
  }
  return { magic: bytes.slice(7, 11), baseHash: bytes.slice(11, 43), coins: view.getBigUint64(43, true) };
}

/** Fills a buffer from a file. @returns the bytes read: fewer only at its end. */
async function readAt(handle: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function* readChunks(handle: FileHandle, offset: number): AsyncGenerator<SnapshotChunk> {
  let next = offset;
  let size = CHUNK_BYTES;
  for (;;) {
    const buffer = new Uint8Array(size);
    const filled = await readAt(handle, buffer, next);
    if (filled === 0) return;
    const bytes = buffer.subarray(0, filled);
    const groups: CoinGroup[] = [];
    let at = 0;
    for (let read = readCoinGroup(bytes, at); read !== undefined; read = readCoinGroup(bytes, at)) {
      groups.push(read.group);
      at = read.next;
    }
    if (at === 0 && filled < size) throw damaged('it ends in the middle of a transaction');
    if (at === 0 && size >= MAX_GROUP_BYTES) throw damaged('a transaction has more outputs than a block can hold');
    // Outputs of one transaction are taken together, so a larger one needs a larger buffer.
    size = at === 0 ? size * 4 : CHUNK_BYTES;
    next += at;
    if (at > 0) yield { groups, next };
  }
}

/** Opens a snapshot. @throws `bitcoin/unspent-file` when it is not there or not one. */
export async function openSnapshot(path: string): Promise<SnapshotFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw fail('bitcoin/unspent-file', `the file of the unspent set cannot be opened: ${(cause as Error).message}`, { cause });
  }
  try {
    const head = new Uint8Array(SNAPSHOT_HEAD_SIZE);
    const filled = await readAt(handle, head, 0);
    const { size } = await handle.stat();
    return { head: readHead(head.subarray(0, filled)), size, chunks: (offset) => readChunks(handle, offset), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
