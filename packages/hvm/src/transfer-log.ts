import { fromHex, type Log, toBigEndian } from '@hemid/protocol';
import type { Frame, Observer } from './observation.ts';
import type { FlatState } from './state/flat-state.ts';
import { readAccount } from './state/read.ts';
import { heirIn, logIn } from './step-reading.ts';

/** The address that stands for the chain's coin (ERC-7528), and the event of a transfer. */
const COIN = fromHex('ee'.repeat(20));
const TRANSFER = fromHex('ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef');

const wide = (address: Uint8Array): Uint8Array => Uint8Array.of(...new Uint8Array(12), ...address);

function transfer(from: Uint8Array, to: Uint8Array, value: bigint): Log {
  return { address: COIN, topics: [TRANSFER, wide(from), wide(to)], data: toBigEndian(value, 32) };
}

/** Collects the logs of a transaction in their order, with one for each transfer of the coin among them (eth_simulateV1). */
export function createTransferLogs(state: FlatState): Observer & { logs(): Log[] } {
  /** Per open frame its logs, and of a creation with coins who sends how many: its address comes at the end. */
  const frames: { logs: Log[]; endowment?: { from: Uint8Array; value: bigint } }[] = [{ logs: [] }];
  const top = (): Log[] => frames.at(-1)?.logs ?? [];

  async function destroy(address: Uint8Array, heir: Uint8Array): Promise<void> {
    const balance = (await readAccount(state, address))?.balance ?? 0n;
    if (balance > 0n) top().push(transfer(address, heir, balance));
  }

  return {
    step(step) {
      const [heir, log] = [heirIn(step), logIn(step)];
      if (log !== undefined) top().push(log);
      return heir === undefined ? undefined : destroy(step.address, heir);
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
