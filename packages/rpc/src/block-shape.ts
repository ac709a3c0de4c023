import type { PlacedL2Header } from '@hemid/chain';
import { hashTransaction, type Receipt } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { encodeBlock, type ForeignBlock, withdrawalsOf } from './block-rlp.ts';
import type { TransactionDecoder } from './transaction-decoder.ts';
import { showTransaction } from './transaction-shape.ts';

/** A header as the Ethereum JSON-RPC shows it, e.g. to subscribers of `newHeads`. */
export function showHeader({ header, hash }: PlacedL2Header) {
  return {
    number: header.number,
    hash,
    parentHash: header.parentHash,
    sha3Uncles: header.ommersHash,
    miner: header.beneficiary,
    stateRoot: header.stateRoot,
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    logsBloom: header.logsBloom,
    difficulty: header.difficulty,
    gasLimit: header.gasLimit,
    gasUsed: header.gasUsed,
    timestamp: header.timestamp,
    extraData: header.extraData,
    mixHash: header.mixHash,
    nonce: header.nonce,
    baseFeePerGas: header.baseFeePerGas,
    withdrawalsRoot: header.withdrawalsRoot,
    blobGasUsed: header.blobGasUsed,
    excessBlobGas: header.excessBlobGas,
    parentBeaconBlockRoot: header.parentBeaconBlockRoot,
    requestsHash: header.requestsHash,
  };
}

/** How the transactions of a block are shown. */
export type Transactions = { as: 'hashes' } | { as: 'objects'; receipts: readonly Receipt[]; decode: TransactionDecoder };

/** A block as the Ethereum JSON-RPC shows it. */
export function showBlock(placed: PlacedL2Header, block: ForeignBlock, transactions: Transactions): object {
  const shown = block.transactions.map((raw, index) => {
    if (transactions.as === 'hashes') return hashTransaction(raw);
    const nonce = transactions.receipts[index]?.nonce ?? 0n;
    return showTransaction(raw, { block: placed, index, nonce }, transactions.decode);
  });
  const uncles = (block.ommers ?? []).map((ommer) => keccak_256(ommer));
  return { ...showHeader(placed), size: BigInt(encodeBlock(block).length), transactions: shown, uncles, withdrawals: withdrawalsOf(block) };
}
