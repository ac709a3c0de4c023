import { decodeRlp, equal, fromMinimal, type Log } from '@hemid/protocol';

/** What a proof reads of a receipt. */
export interface ProvenReceipt {
  succeeded: boolean;
  logs: Pick<Log, 'address' | 'topics'>[];
}

const isBytes = (item: unknown): item is Uint8Array => item instanceof Uint8Array;

function readLog(item: unknown): ProvenReceipt['logs'][number] | undefined {
  const [address, topics] = Array.isArray(item) ? (item as unknown[]) : [];
  return isBytes(address) && Array.isArray(topics) && topics.every(isBytes) ? { address, topics } : undefined;
}

/**
 * Reads a receipt as receiptsRoot commits to it, type ‖ RLP [status, cumulative gas, bloom, logs]; `undefined` if malformed.
 *
 * @throws `protocol/encoding` when it is not RLP.
 */
export function decodeConsensusReceipt(bytes: Uint8Array): ProvenReceipt | undefined {
  const isTyped = (bytes[0] ?? 0) < 0xc0;
  const items = decodeRlp(isTyped ? bytes.subarray(1) : bytes, 'a receipt');
  const [status, , , list] = Array.isArray(items) ? (items as unknown[]) : [];
  if (!isBytes(status) || !Array.isArray(list)) return undefined;
  const logs = list.map(readLog).filter((log) => log !== undefined);
  return logs.length === list.length ? { succeeded: fromMinimal(status, 1) === 1n, logs } : undefined;
}

/** Whether a receipt has a log of a contract with this first topic. */
export function hasLog({ logs }: ProvenReceipt, from: { address: Uint8Array; topic: Uint8Array }): boolean {
  return logs.some(({ address, topics: [topic] }) => equal(address, from.address) && topic !== undefined && equal(topic, from.topic));
}
