import { decodeRlp, equal, fromMinimal, type Log } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** What a proof reads of a receipt. */
export interface ProvenReceipt {
  succeeded: boolean;
  logs: Log[];
}

const isBytes = (item: unknown): item is Uint8Array => item instanceof Uint8Array;

function readLog(item: unknown): Log | undefined {
  const [address, topics, data] = Array.isArray(item) ? (item as unknown[]) : [];
  return isBytes(address) && isBytes(data) && Array.isArray(topics) && topics.every(isBytes) ? { address, topics, data } : undefined;
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

/** The first topic of an event. */
export const topicOf = (signature: string): Uint8Array => keccak_256(new TextEncoder().encode(signature));

/** The logs of a contract with this first topic. */
export function logsOf({ logs }: Pick<ProvenReceipt, 'logs'>, from: { address: Uint8Array; topic: Uint8Array }): Log[] {
  return logs.filter(({ address, topics: [topic] }) => equal(address, from.address) && topic !== undefined && equal(topic, from.topic));
}
