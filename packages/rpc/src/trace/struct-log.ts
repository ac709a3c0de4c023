import { readSlot, type Step, slotIn, storedIn } from '@hemid/hvm';
import { toHex } from '@hemid/protocol';
import { gethWords } from '../call-failure.ts';
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

const STIPEND = 2300n;
const WORD = 32;
/** What a step and a word of it take in an answer, bytes. */
const STEP_BYTES = 120;
const WORD_BYTES = 70;

const wordsOf = (memory: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.ceil(memory.length / WORD) }, (_, i) => memory.slice(i * WORD, (i + 1) * WORD));

function sizeOf({ stack = [], memory = [], storage = {}, returnData }: StructLog): number {
  const words = stack.length + memory.length + 2 * Object.keys(storage).length;
  return STEP_BYTES + WORD_BYTES * words + 2 * (returnData?.length ?? 0);
}

/** Every opcode that ran, as geth's default tracer shows it. */
export const structLogTracer: TracerFactory = ({ state }, options) => {
  const logs: StructLog[] = [];
  /** What each contract was seen to hold. */
  const seen = new Map<string, Record<string, Uint8Array>>();
  /** The last step of each open frame, by depth. */
  const open: (StructLog | undefined)[] = [];
  let current = 0;
  let returned = new Uint8Array();

  async function readStorage(at: Step): Promise<Record<string, Uint8Array> | undefined> {
    const slot = options.disableStorage ? undefined : slotIn(at);
    if (slot === undefined) return undefined;
    const key = toHex(at.address);
    const known = seen.get(key) ?? {};
    known[toHex(slot)] = storedIn(at) ?? (await readSlot(state, at.address, slot));
    seen.set(key, known);
    return { ...known };
  }

  async function step(at: Step): Promise<void> {
    open[current] = undefined;
    if (options.limit > 0 && logs.length >= options.limit) return;
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
    options.spend(sizeOf(log));
    logs.push(log);
    open[current] = log;
  }

  return {
    observer: {
      step,
      enter({ depth, gas, value, kind }) {
        // Geth counts what a call hands on as its cost.
        const caller = open[current];
        if (depth > 0 && caller !== undefined && !kind.startsWith('CREATE'))
          caller.gasCost += Number(gas - (value > 0n && kind !== 'DELEGATECALL' ? STIPEND : 0n));
        current += 1;
        open[current] = undefined;
      },
      exit({ error, output }) {
        returned = output as Uint8Array<ArrayBuffer>;
        const last = open[current];
        current -= 1;
        if (error !== undefined && error !== 'revert' && last !== undefined) last.error = gethWords(error);
      },
    },
    result: ({ gasUsed, succeeded, output }) => ({ gas: Number(gasUsed), failed: !succeeded, returnValue: output, structLogs: logs }),
  };
};
