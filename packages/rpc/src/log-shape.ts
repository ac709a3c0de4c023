import type { ChainView, PlacedL2Header } from '@hemid/chain';
import { hashTransaction, type Log, type Receipt } from '@hemid/protocol';

/** A log with its place in the chain. */
export interface PlacedLog {
  log: Log;
  block: PlacedL2Header;
  transactionHash: Uint8Array;
  transactionIndex: number;
  /** Counted over the whole block. */
  logIndex: number;
  /** Whether a reorg took its block off the canonical chain. */
  removed: boolean;
}

/** Every log of a block, in order; none when the block or its receipts are not here. */
export function logsOfBlock(chain: ChainView, block: PlacedL2Header): PlacedLog[] {
  if (block.header.logsBloom.every((byte) => byte === 0)) return [];
  const transactions = chain.block(block.hash)?.block.transactions ?? [];
  const receipts = chain.receipts(block.hash) ?? [];
  return receipts.flatMap((_, index) => logsOfTransaction({ block, transactions, receipts }, index));
}

/** A block with all that its execution made. */
export interface BlockWithReceipts {
  block: PlacedL2Header;
  transactions: readonly Uint8Array[];
  receipts: readonly Receipt[];
}

/** The logs of one transaction of a block. */
export function logsOfTransaction({ block, transactions, receipts }: BlockWithReceipts, index: number): PlacedLog[] {
  const logs = receipts[index]?.logs ?? [];
  if (logs.length === 0) return [];
  const first = receipts.slice(0, index).reduce((sum, receipt) => sum + receipt.logs.length, 0);
  const transactionHash = hashTransaction(transactions[index] ?? new Uint8Array());
  return logs.map((log, i) => ({ log, block, transactionHash, transactionIndex: index, logIndex: first + i, removed: false }));
}

/** A log as the Ethereum JSON-RPC shows it. */
export function showLog({ log, block, transactionHash, transactionIndex, logIndex, removed }: PlacedLog) {
  return {
    address: log.address,
    topics: log.topics,
    data: log.data,
    blockNumber: block.header.number,
    transactionHash,
    transactionIndex: BigInt(transactionIndex),
    blockHash: block.hash,
    blockTimestamp: block.header.timestamp,
    logIndex: BigInt(logIndex),
    removed,
  };
}
