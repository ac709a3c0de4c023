import { type FrameKind, type Observer, type ReplayedResult, readAccount, type Step } from '@hemid/hvm';
import { type Log, toBigEndian } from '@hemid/protocol';
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

const LOG0 = 0xa0;
const LOG4 = 0xa4;
const SELFDESTRUCT = 0xff;
const NOTHING = new Uint8Array();
/** What a frame takes in an answer, bytes. */
const NODE_BYTES = 300;

const addressOf = (word: bigint): Uint8Array => toBigEndian(word & ((1n << 160n) - 1n), 20);

/** The log that a LOG opcode is about to write. */
export function readLog({ opcode, stack, memory, address }: Step): Log {
  const top = (i: number): bigint => stack.at(-1 - i) ?? 0n;
  const [offset, size] = [Number(top(0)), Number(top(1))];
  const data = new Uint8Array(size);
  data.set(memory.subarray(offset, offset + size));
  return { address, data, topics: Array.from({ length: opcode - LOG0 }, (_, i) => toBigEndian(top(2 + i), 32)) };
}

function dropLogs(node: CallNode): void {
  node.logs = [];
  for (const call of node.calls) dropLogs(call);
}

/** Collects what a transaction calls. */
export function createCallTree(traced: Traced, spend: (bytes: number) => void): CallTree {
  const open: CallNode[] = [];
  let root: CallNode | undefined;

  async function destroy({ address, stack }: Step): Promise<void> {
    const value = (await readAccount(traced.state, address))?.balance ?? 0n;
    const to = addressOf(stack.at(-1) ?? 0n);
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
        if (step.opcode === SELFDESTRUCT) return destroy(step);
        if (step.opcode >= LOG0 && step.opcode <= LOG4) node?.logs.push({ ...readLog(step), position: node.calls.length });
        return undefined;
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
