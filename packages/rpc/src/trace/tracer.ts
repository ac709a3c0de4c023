import type { PlacedL2Header } from '@hemid/chain';
import type { Observer, ReplayedResult, ReplayedTransaction } from '@hemid/hvm';

/** A transaction, or a call that is tried out, as tracers see it. */
export interface Traced extends Pick<ReplayedTransaction, 'from' | 'to' | 'gasLimit' | 'state'> {
  /** Where it stands in the block; a call stands nowhere. */
  place: { hash: Uint8Array; index: number } | undefined;
  /** The block that it stands in, or is tried out after. */
  block: PlacedL2Header;
}

/** Watches a transaction, and then says what it saw. */
export interface Tracer {
  observer: Observer;
  /** The answer, as values of the domain. */
  result(done: ReplayedResult): unknown;
}

/** What a client wants to know of a transaction: a tracer by name with its settings, or struct logs. */
export interface TraceOptions {
  tracer: string | undefined;
  tracerConfig: Record<string, unknown>;
  disableStack: boolean;
  disableStorage: boolean;
  enableMemory: boolean;
  enableReturnData: boolean;
  /** Steps that are shown; 0: all. */
  limit: number;
  /** Counts what an answer takes; @throws `rpc/limit` when it grows too large. */
  spend(bytes: number): void;
}

/** Begins to trace one transaction. */
export type TracerFactory = (traced: Traced, options: TraceOptions) => Promise<Tracer> | Tracer;
