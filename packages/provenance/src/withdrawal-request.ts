import { decodeAbi, fromBigEndian, TUNNEL_ADDRESS } from '@hemid/protocol';
import { logsOf, type ProvenReceipt, topicOf } from './consensus-receipt.ts';

/** Somebody's request to be paid in Bitcoin, as a receipt has it. */
export interface WithdrawalRequest {
  id: bigint;
  /** Taken on L2; the output pays this less `feeSats`. */
  sats: bigint;
  feeSats: bigint;
  script: Uint8Array;
}

const REQUESTED = topicOf('WithdrawalRequested(uint64,address,uint64,uint64,bytes)');

/** The withdrawals that a transaction requests; @throws `protocol/encoding` when a log is malformed. */
export function readRequests(receipt: Pick<ProvenReceipt, 'logs'>): WithdrawalRequest[] {
  return logsOf(receipt, { address: TUNNEL_ADDRESS, topic: REQUESTED }).map(({ topics, data }) => {
    const [sats, feeSats, script] = decodeAbi(['uint', 'uint', 'bytes'], data) as [bigint, bigint, Uint8Array];
    return { id: fromBigEndian(topics[1] ?? new Uint8Array()), sats, feeSats, script };
  });
}
