import type { PlacedL2Header } from '@hemid/chain';
import { effectiveGasPrice, feeCap, tipCap, type UserTransaction } from '@hemid/hvm';
import {
  DEVELOPMENT_TYPE,
  decodeSystemTransaction,
  fromBigEndian,
  hashTransaction,
  isSystemEnvelope,
  SYSTEM_ADDRESS,
  TUNNEL_TYPE,
} from '@hemid/protocol';
import type { TransactionDecoder } from './transaction-decoder.ts';

/** Where a transaction stands. */
export interface TransactionPlace {
  block: PlacedL2Header;
  index: number;
  /** The sender's nonce as the receipt has it; a system transaction carries none itself. */
  nonce: bigint;
}

const showPlace = (place: TransactionPlace | undefined) => ({
  blockHash: place === undefined ? null : place.block.hash,
  blockNumber: place === undefined ? null : place.block.header.number,
  blockTimestamp: place === undefined ? null : place.block.header.timestamp,
  transactionIndex: place === undefined ? null : BigInt(place.index),
});

/** A transaction of a block as the Ethereum JSON-RPC shows it, user's or system's. */
export function showTransaction(raw: Uint8Array, place: TransactionPlace, decode: TransactionDecoder): object {
  return isSystemEnvelope(raw) ? showSystemTransaction(raw, place) : showUserTransaction(decode(raw), place);
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** A system transaction (protocol 3.1): no signature, price 0, the nonce from its receipt. */
function showSystemTransaction(raw: Uint8Array, place: TransactionPlace): object {
  const transaction = decodeSystemTransaction(raw);
  const tunnel = transaction.type === TUNNEL_TYPE ? transaction : undefined;
  const call = transaction.type === DEVELOPMENT_TYPE ? transaction : undefined;
  return {
    ...showPlace(place),
    type: BigInt(transaction.type),
    hash: hashTransaction(raw),
    from: call?.from ?? SYSTEM_ADDRESS,
    to: transaction.to ?? null,
    gas: transaction.gas,
    gasPrice: call === undefined ? 0n : least(call.maxFeePerGas, place.block.header.baseFeePerGas + call.maxPriorityFeePerGas),
    value: (tunnel ?? call)?.value ?? 0n,
    input: transaction.data,
    nonce: place.nonce,
    v: 0n,
    r: 0n,
    s: 0n,
    sourceHash: tunnel?.sourceHash,
    mint: tunnel?.mint,
  };
}

/** A user transaction; without a place it waits in the pool. */
export function showUserTransaction({ tx, hash, sender }: UserTransaction, place?: TransactionPlace): object {
  const { v = 0n, r = 0n, s = 0n } = tx;
  return {
    ...showPlace(place),
    type: BigInt(tx.type),
    hash,
    from: sender,
    to: tx.to?.bytes ?? null,
    nonce: tx.nonce,
    gas: tx.gasLimit,
    gasPrice: place === undefined ? feeCap(tx) : effectiveGasPrice(tx, place.block.header.baseFeePerGas ?? 0n),
    value: tx.value,
    input: tx.data,
    v,
    r,
    s,
    ...showTyped(tx),
  };
}

/** The fields that only some types have. */
function showTyped(tx: UserTransaction['tx']): object {
  // EIP-155 hides the chain id of a legacy transaction in v; without it the transaction is good on every chain.
  if (tx.type === 0) return (tx.v ?? 0n) >= 35n ? { chainId: ((tx.v ?? 0n) - 35n) / 2n } : {};
  const accessList = 'accessList' in tx ? tx.accessList : [];
  const authorizations = 'authorizationList' in tx ? tx.authorizationList : undefined;
  return {
    chainId: tx.common.chainId(),
    yParity: tx.v ?? 0n,
    accessList: accessList.map(([address, storageKeys]) => ({ address, storageKeys })),
    ...('maxFeePerGas' in tx ? { maxFeePerGas: feeCap(tx), maxPriorityFeePerGas: tipCap(tx) } : {}),
    ...('blobVersionedHashes' in tx ? { blobVersionedHashes: tx.blobVersionedHashes, maxFeePerBlobGas: tx.maxFeePerBlobGas } : {}),
    authorizationList: authorizations?.map(([chainId, address, nonce, yParity, r, s]) => ({
      chainId: fromBigEndian(chainId),
      address,
      nonce: fromBigEndian(nonce),
      yParity: fromBigEndian(yParity),
      r: fromBigEndian(r),
      s: fromBigEndian(s),
    })),
  };
}
