import { Address } from '@ethereumjs/util';
import { fromHex, type Log, toBigEndian } from '@hemid/protocol';
import type { Frame, Observer, Step } from './observation.ts';
import type { FlatState } from './state/flat-state.ts';

/** The address that stands for the chain's coin (ERC-7528), and the event of a transfer. */
const COIN = fromHex('ee'.repeat(20));
const TRANSFER = fromHex('ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef');
const LOG0 = 0xa0;
const LOG4 = 0xa4;
const SELFDESTRUCT = 0xff;

const addressOf = (word: bigint): Uint8Array => toBigEndian(word & ((1n << 160n) - 1n), 20);
const wide = (address: Uint8Array): Uint8Array => Uint8Array.of(...new Uint8Array(12), ...address);

function transfer(from: Uint8Array, to: Uint8Array, value: bigint): Log {
  return { address: COIN, topics: [TRANSFER, wide(from), wide(to)], data: toBigEndian(value, 32) };
}

/** The log that a LOG opcode is about to write. */
function readLog({ opcode, stack, memory, address }: Step): Log {
  const top = (i: number): bigint => stack.at(-1 - i) ?? 0n;
  const [offset, size] = [Number(top(0)), Number(top(1))];
  const data = new Uint8Array(size);
  data.set(memory.subarray(offset, offset + size));
  const topics = Array.from({ length: opcode - LOG0 }, (_, i) => toBigEndian(top(2 + i), 32));
  return { address, topics, data };
}

/** Collects the logs of a transaction in their order, with one for each transfer of the coin among them (eth_simulateV1). */
export function createTransferLogs(state: FlatState): Observer & { logs(): Log[] } {
  /** Per open frame its logs, and of a creation with coins who sends how many: its address comes at the end. */
  const frames: { logs: Log[]; endowment?: { from: Uint8Array; value: bigint } }[] = [{ logs: [] }];
  const top = (): Log[] => frames.at(-1)?.logs ?? [];

  async function destroy({ address, stack }: Step): Promise<void> {
    const balance = (await state.getAccount(new Address(address)))?.balance ?? 0n;
    if (balance > 0n) top().push(transfer(address, addressOf(stack.at(-1) ?? 0n), balance));
  }

  return {
    step(step) {
      if (step.opcode === SELFDESTRUCT) return destroy(step);
      if (step.opcode >= LOG0 && step.opcode <= LOG4) top().push(readLog(step));
      return undefined;
    },
    enter({ kind, from, to, value }: Frame) {
      const moves = value > 0n && kind !== 'DELEGATECALL' && kind !== 'CALLCODE';
      if (!moves) frames.push({ logs: [] });
      else frames.push(to === undefined ? { logs: [], endowment: { from, value } } : { logs: [transfer(from, to, value)] });
    },
    exit({ error, created }) {
      const { logs, endowment } = frames.pop() ?? { logs: [] };
      if (error !== undefined) return;
      if (endowment !== undefined && created !== undefined) top().push(transfer(endowment.from, created, endowment.value));
      top().push(...logs);
    },
    logs: () => top(),
  };
}
