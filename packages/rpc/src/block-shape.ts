import type { PlacedL2Header } from '@hemid/chain';
import { encodeHeader, hashTransaction, type L2Block, type Receipt, toMinimal } from '@hemid/protocol';
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
export function showBlock(placed: PlacedL2Header, block: L2Block, transactions: Transactions): object {
  const shown = block.transactions.map((raw, index) => {
    if (transactions.as === 'hashes') return hashTransaction(raw);
    const nonce = transactions.receipts[index]?.nonce ?? 0n;
    return showTransaction(raw, { block: placed, index, nonce }, transactions.decode);
  });
  return { ...showHeader(placed), size: BigInt(sizeOf(block)), transactions: shown, uncles: [], withdrawals: [] };
}

/** Bytes of an RLP list or string with `length` bytes of content. */
const withPrefix = (length: number): number => length + (length < 56 ? 1 : 1 + toMinimal(length).length);

/** Bytes of the block's RLP [header, transactions, ommers, withdrawals]; an empty list is one byte. */
function sizeOf({ header, transactions }: L2Block): number {
  const isList = (raw: Uint8Array): boolean => (raw[0] ?? 0) >= 0xc0;
  const body = transactions.reduce((sum, raw) => sum + (isList(raw) ? raw.length : withPrefix(raw.length)), 0);
  return withPrefix(encodeHeader(header).length + withPrefix(body) + 1 + 1);
}
