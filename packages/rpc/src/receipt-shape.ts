import type { PlacedL2Header } from '@hemid/chain';
import { createdAddress, type UserTransaction } from '@hemid/hvm';
import {
  ATTRIBUTES_TYPE,
  bloomOf,
  DEVELOPMENT_TYPE,
  decodeSystemTransaction,
  hashTransaction,
  isSystemEnvelope,
  PAYOUT_TYPE,
  type Receipt,
  SYSTEM_ADDRESS,
} from '@hemid/protocol';
import type { ReadContext } from './context.ts';
import { type BlockWithReceipts, logsOfTransaction, showLog } from './log-shape.ts';
import type { RuleReader } from './ports.ts';
import type { TransactionDecoder } from './transaction-decoder.ts';

/** EIP-4844. */
const GAS_PER_BLOB = 131_072n;

/** A receipt of a chain that is older than EIP-658 states the root after its transaction, and no status. */
function showOutcome(receipt: Receipt & { root?: Uint8Array }): object {
  return receipt.root === undefined ? { status: receipt.succeeded ? 1n : 0n } : { root: receipt.root };
}

/** The nonce of a system transaction stands in its receipt alone, under a name for each type (protocol 3.1). */
function showSystemNonce({ type, nonce }: Receipt): object {
  if (type === DEVELOPMENT_TYPE) return {};
  if (type === ATTRIBUTES_TYPE) return { btcAttributesDepositedNonce: nonce };
  return type === PAYOUT_TYPE ? { popPayoutNonce: nonce } : { depositNonce: nonce };
}

function readParties(raw: Uint8Array, decode: TransactionDecoder): { from: Uint8Array; to: Uint8Array | undefined } {
  if (isSystemEnvelope(raw)) {
    const transaction = decodeSystemTransaction(raw);
    return { from: transaction.type === DEVELOPMENT_TYPE ? transaction.from : SYSTEM_ADDRESS, to: transaction.to };
  }
  const { sender, tx } = decode(raw);
  return { from: sender, to: tx.to?.bytes };
}

/** Whether nothing is called: a development transaction that sets accounts. */
const isWrite = (raw: Uint8Array): boolean => raw[0] === DEVELOPMENT_TYPE && decodeSystemTransaction(raw).gas === 0n;

/** What blobs cost; blocks of this chain carry none. */
function showBlobs({ tx }: UserTransaction, { header }: PlacedL2Header, rules: RuleReader): object {
  if (!('blobVersionedHashes' in tx)) return {};
  return { blobGasUsed: GAS_PER_BLOB * BigInt(tx.blobVersionedHashes.length), blobGasPrice: rules.blobBaseFee(header) };
}

/** What a receipt is shown with. */
type ReceiptContext = Pick<ReadContext, 'decode' | 'rules'>;

/** The receipt of a block's transaction at `index` as the Ethereum JSON-RPC shows it. */
export function showReceipt(source: BlockWithReceipts, index: number, { decode, rules }: ReceiptContext): object | undefined {
  const { block, transactions, receipts } = source;
  const [raw, receipt] = [transactions[index], receipts[index]];
  if (raw === undefined || receipt === undefined) return undefined;
  const { from, to } = readParties(raw, decode);
  return {
    type: BigInt(receipt.type),
    ...showOutcome(receipt),
    transactionHash: hashTransaction(raw),
    transactionIndex: BigInt(index),
    blockHash: block.hash,
    blockNumber: block.header.number,
    from,
    to: to ?? null,
    contractAddress: to === undefined && !isWrite(raw) ? createdAddress(from, receipt.nonce) : null,
    cumulativeGasUsed: receipt.cumulativeGasUsed,
    gasUsed: receipt.gasUsed,
    effectiveGasPrice: receipt.effectiveGasPrice,
    logs: logsOfTransaction(source, index).map(showLog),
    logsBloom: bloomOf(receipt.logs),
    ...(isSystemEnvelope(raw) ? showSystemNonce(receipt) : showBlobs(decode(raw), block, rules)),
  };
}
