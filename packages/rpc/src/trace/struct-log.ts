import { readSlot, type Step } from '@hemid/hvm';
import { toBigEndian, toHex } from '@hemid/protocol';
import { gethWords } from '../call-failure.ts';
import { fail } from '../errors.ts';
import type { TracerFactory } from './tracer.ts';

interface StructLog {
  pc: number;
  op: string;
  gas: number;
  gasCost: number;
  depth: number;
  stack?: string[];
  memory?: Uint8Array[];
  storage?: Record<string, Uint8Array>;
  returnData?: Uint8Array;
  refund?: number;
  error?: string;
}

const SLOAD = 0x54;
const SSTORE = 0x55;
const STIPEND = 2300n;
const WORD = 32;
/** Steps of one answer, whatever a client wants: each takes some hundred bytes. */
const MAX_STEPS = 1_000_000;

const wordsOf = (memory: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.ceil(memory.length / WORD) }, (_, i) => memory.slice(i * WORD, (i + 1) * WORD));

/** Every opcode that ran, as geth's default tracer shows it. */
export const structLogTracer: TracerFactory = ({ state }, options) => {
  const logs: StructLog[] = [];
  /** What each contract was seen to hold. */
  const seen = new Map<string, Record<string, Uint8Array>>();
  const open: StructLog[] = [];
  let returned = new Uint8Array();

  async function readStorage({ opcode, stack, address }: Step): Promise<Record<string, Uint8Array> | undefined> {
    const top = stack.at(-1);
    if (options.disableStorage || top === undefined || (opcode !== SLOAD && opcode !== SSTORE)) return undefined;
    const slot = toBigEndian(top, WORD);
    const key = toHex(address);
    const known = seen.get(key) ?? {};
    known[toHex(slot)] = opcode === SSTORE ? toBigEndian(stack.at(-2) ?? 0n, WORD) : await readSlot(state, address, slot);
    seen.set(key, known);
    return { ...known };
  }

  async function step(at: Step): Promise<void> {
    if (logs.length >= MAX_STEPS) throw fail('rpc/limit', `more than ${MAX_STEPS} steps: ask for a callTracer instead`);
    const storage = await readStorage(at);
    const log: StructLog = {
      pc: at.pc,
      op: at.name,
      gas: Number(at.gas),
      gasCost: Number(at.cost),
      depth: at.depth,
      ...(options.disableStack ? {} : { stack: at.stack.map((value) => `0x${value.toString(16)}`) }),
      ...(options.enableMemory ? { memory: wordsOf(at.memory) } : {}),
      ...(storage === undefined ? {} : { storage }),
      ...(options.enableReturnData && returned.length > 0 ? { returnData: returned } : {}),
      ...(at.refund > 0n ? { refund: Number(at.refund) } : {}),
    };
    if (options.limit === 0 || logs.length < options.limit) logs.push(log);
    open[at.depth] = log;
  }

  return {
    observer: {
      step,
      enter({ depth, gas, value, kind }) {
        // Geth counts what a call hands on as its cost.
        const caller = open[depth];
        if (depth > 0 && caller !== undefined && !kind.startsWith('CREATE')) caller.gasCost += Number(gas - (value > 0n ? STIPEND : 0n));
        delete open[depth + 1];
      },
      exit({ error, output }) {
        returned = output as Uint8Array<ArrayBuffer>;
        const last = open.pop();
        if (error !== undefined && error !== 'revert' && last !== undefined) last.error = gethWords(error);
      },
    },
    result: ({ gasUsed, succeeded, output }) => ({ gas: Number(gasUsed), failed: !succeeded, returnValue: output, structLogs: logs }),
  };
};
