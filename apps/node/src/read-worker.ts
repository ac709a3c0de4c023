import type { MessagePort } from 'node:worker_threads';
import { createBlockStore, createHeaderReader } from '@hemid/bitcoin';
import { createChainViews } from '@hemid/chain';
import { type ChainSpec, isHemidError, type Severity } from '@hemid/protocol';
import { createLongReader, type LongRead, type WireText } from '@hemid/rpc';
import { openStoreReader } from '@hemid/store';
import { type EndLock, insideLock } from './end-lock.ts';

/** What a reading thread is started with. */
export interface ReadSetup {
  /** Of the database that the main thread has open, as it names it. */
  directory: string;
  spec: ChainSpec;
  /** Blocks below the head whose state is kept; `undefined`: all. */
  stateWindow: number | undefined;
  lock: EndLock;
}

export interface ReadQuestion {
  id: number;
  call: LongRead;
  /** Hashes of the labelled blocks. */
  labels: { safe: Uint8Array; finalized: Uint8Array };
  /** Shared; not 0 as soon as nobody waits any more. */
  over: Int32Array;
}

/** What a method threw: an error of the house, or any other. */
export type ReadFailure = { code: string; severity: Severity; message: string; details: Record<string, unknown> } | { fault: string };

/** `json`: text, or its UTF-8. */
export type ReadAnswer = { id: number; json: string | Uint8Array<ArrayBuffer> } | { id: number; failure: ReadFailure };

function toFailure(error: unknown): ReadFailure {
  if (!isHemidError(error)) return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  const { code, severity, message, details } = error;
  return { code, severity, message, details };
}

/** Answers {@link ReadQuestion}s beside the main thread, each from a snapshot of its own. */
export async function serveReads(port: MessagePort, { directory, spec, stateWindow, lock }: ReadSetup): Promise<void> {
  const store = await openStoreReader(directory, (make) => insideLock(lock, make));
  const headers = createHeaderReader(store, spec);
  const views = createChainViews({ spec, headers, blocks: createBlockStore(store), stateWindow });
  const reader = createLongReader();

  async function read({ call, labels, over }: ReadQuestion): Promise<WireText> {
    const snapshot = store.snapshot();
    try {
      // Headers are never taken back: those of now are at least those of the snapshot.
      headers.follow();
      const chain = await views.open(snapshot, labels);
      return await reader.run(call, { chain, isOver: () => Atomics.load(over, 0) !== 0 });
    } finally {
      await snapshot.close();
    }
  }

  async function answer(question: ReadQuestion): Promise<void> {
    const { id } = question;
    const said: ReadAnswer = await read(question).then(
      (text) => ({ id, json: typeof text === 'string' ? text : new Uint8Array(Buffer.concat(text)) }),
      (error: unknown) => ({ id, failure: toFailure(error) }),
    );
    port.postMessage(said, 'json' in said && typeof said.json !== 'string' ? [said.json.buffer] : []);
  }

  port.on('message', (question: ReadQuestion) => void answer(question));
}
