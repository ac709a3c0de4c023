import { type FrameKind, heirIn, logIn, type Observer, type ReplayedResult, readAccount } from '@hemid/hvm';
import type { Log } from '@hemid/protocol';
import type { Traced } from './tracer.ts';

/** A log with how many calls its frame had made before. */
export interface TracedLog extends Log {
  position: number;
}

/** A frame with the frames that it opened. */
export interface CallNode {
  kind: FrameKind | 'SELFDESTRUCT';
  from: Uint8Array;
  /** Of a creation, the new contract's, once it is there. */
  to: Uint8Array | undefined;
  value: bigint;
  gas: bigint;
  gasUsed: bigint;
  input: Uint8Array;
  output: Uint8Array;
  /** In the EVM's words. */
  error: string | undefined;
  calls: CallNode[];
  /** Those that were not undone. */
  logs: TracedLog[];
}

/** What an execution called. */
export interface CallTree {
  observer: Observer;
  /** The frame of the transaction itself, with the transaction's own gas. */
  root(done: ReplayedResult): CallNode;
}

const NOTHING = new Uint8Array();
/** What a frame takes in an answer, bytes. */
const NODE_BYTES = 300;

function dropLogs(node: CallNode): void {
  node.logs = [];
  for (const call of node.calls) dropLogs(call);
}

/** Collects what a transaction calls. */
export function createCallTree(traced: Traced, spend: (bytes: number) => void): CallTree {
  const open: CallNode[] = [];
  let root: CallNode | undefined;

  async function destroy(address: Uint8Array, to: Uint8Array): Promise<void> {
    const value = (await readAccount(traced.state, address))?.balance ?? 0n;
    open.at(-1)?.calls.push({
      kind: 'SELFDESTRUCT',
      from: address,
      to,
      value,
      gas: 0n,
      gasUsed: 0n,
      input: NOTHING,
      output: NOTHING,
      error: undefined,
      calls: [],
      logs: [],
    });
  }

  return {
    observer: {
      step(step) {
        const node = open.at(-1);
        const [heir, log] = [heirIn(step), logIn(step)];
        if (log !== undefined) node?.logs.push({ ...log, position: node.calls.length });
        return heir === undefined ? undefined : destroy(step.address, heir);
      },
      enter({ kind, from, to, value, gas, input }) {
        const node: CallNode = { kind, from, to, value, gas, input, gasUsed: 0n, output: NOTHING, error: undefined, calls: [], logs: [] };
        spend(NODE_BYTES + 2 * input.length);
        open.at(-1)?.calls.push(node);
        root ??= node;
        open.push(node);
      },
      exit({ error, output, gasUsed, created }) {
        const node = open.pop();
        if (node === undefined) return;
        spend(2 * output.length);
        Object.assign(node, { error, output, gasUsed, to: node.to ?? created });
        if (error !== undefined) dropLogs(node);
      },
    },
    root({ gasUsed }) {
      const { from, to, gasLimit: gas } = traced;
      // A system transaction may open no frame at all.
      const node: CallNode = root ?? {
        kind: 'CALL',
        from,
        to,
        value: 0n,
        gas,
        gasUsed,
        input: NOTHING,
        output: NOTHING,
        error: undefined,
        calls: [],
        logs: [],
      };
      return { ...node, gas, gasUsed };
    },
  };
}
