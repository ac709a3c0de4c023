import type { BitcoinRpc } from '@hemid/bitcoin';
import type { Upstream } from '@hemid/network';
import { type ChainSpec, decodeHeader, type L2Header } from '@hemid/protocol';
import { type Clock, silentLogger } from '@hemid/runtime';
import { layout, type Store } from '@hemid/store';
import { fail } from './errors.ts';
import { createNode, type Node } from './node.ts';

/** Says, now and then, how far a long command is. */
export type Progress = (number: bigint, last: bigint) => void;

/** What every `hemid db` command is given. */
export interface DbContext {
  /** The data directory's database, which nobody else has open. */
  store: Store;
  clock: Clock;
  /** A line of the answer. */
  write(line: string): void;
  progress: Progress;
  /** Aborted by SIGINT and SIGTERM. */
  signal: AbortSignal;
}

/** How a command ended: its last line, and whether what it looked at is as it should be. */
export interface DbEnd {
  line: string;
  isWrong?: boolean;
}

const nobody = (): never => {
  throw fail('node/config', 'hemid db asks neither Bitcoin nor an upstream');
};
const NO_BITCOIN: BitcoinRpc = async () => nobody();
const NO_UPSTREAM: Upstream = { sealedBlocks: async () => nobody(), bitcoinBlock: async () => nobody(), sendTransaction: async () => nobody() };

/** A verifier over a store that is never started: its chain executes as a running one's does, and nothing else happens. `settled` throws what failed behind a head change. */
export async function openDbNode(spec: ChainSpec, store: Store, deps: { clock: Clock; stateWindow?: number | undefined }): Promise<Node> {
  const failures: unknown[] = [];
  const node = await createNode(
    { spec, store, bitcoin: NO_BITCOIN, clock: deps.clock, log: silentLogger, onFailure: (error) => failures.push(error) },
    { bitcoinPollMs: 0, stateWindow: deps.stateWindow, role: { kind: 'verifier', upstream: NO_UPSTREAM, pollMs: 0 } },
  );
  return {
    ...node,
    async settled() {
      await node.settled();
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** The canonical head as the rows have it, or `undefined` in an empty database. */
export async function readHead(store: Store): Promise<{ hash: Uint8Array; header: L2Header } | undefined> {
  for await (const [number, hash] of store.range(layout.canonical, { reverse: true, limit: 1 })) {
    const bytes = store.get(layout.header, hash);
    if (bytes === undefined) throw fail('node/db-damaged', `block ${number} is canonical, but its header is not here`);
    return { hash, header: decodeHeader(bytes) };
  }
  return undefined;
}

/** The lowest block whose changes can be undone, or `undefined` when there is none. */
export async function lowestUndo(store: Store): Promise<bigint | undefined> {
  for await (const [number] of store.range(layout.stateUndo, { limit: 1 })) return number;
  return undefined;
}
