import { keccak_256 } from '@noble/hashes/sha3.js';
import { type AbiFunction, abiFunction } from './abi.ts';
import { displayBytes } from './bitcoin-hash.ts';
import { concat, equal } from './bytes.ts';
import { SYSTEM_ADDRESS, TUNNEL_ADDRESS } from './predeploy.ts';
import { TUNNEL_TYPE, type TunnelTransaction } from './system-transaction.ts';

/** A Bitcoin payment to the vault that is credited on L2 (protocol section 10). */
export interface Deposit {
  /** Internal order. */
  txid: Uint8Array;
  /** Index of the first vault output. */
  vout: number;
  /** Bitcoin height of its block. */
  height: number;
  /** What is credited: the vault outputs less the deposit fee. */
  sats: bigint;
  /** 20 bytes. */
  recipient: Uint8Array;
  payload: Uint8Array;
}

/** A Bitcoin transaction that spends vault outputs, as the predeploy judges it. */
export interface VaultSpend {
  /** Internal order. */
  txid: Uint8Array;
  firstId: bigint;
  count: number;
  netSats: bigint;
  outputsHash: Uint8Array;
}

/** Wei in one satoshi. */
export const WEI_PER_SAT = 10_000_000_000n;
const DEPOSIT_GAS = 250_000n;

const deposit: AbiFunction = abiFunction('deposit(bytes32,uint32,uint32,uint64,address,bytes)', [
  'bytes32',
  'uint',
  'uint',
  'uint',
  'address',
  'bytes',
]);
const spend: AbiFunction = abiFunction('spend(bytes32,uint64,uint16,uint64,bytes32)', ['bytes32', 'uint', 'uint', 'uint', 'bytes32']);

function sourceHash(domain: string, txid: Uint8Array): Uint8Array {
  return keccak_256(concat(new TextEncoder().encode(domain), displayBytes(txid)));
}

/** The 0x7E that credits a deposit. */
export function toDepositTransaction(item: Deposit): TunnelTransaction {
  const wei = item.sats * WEI_PER_SAT;
  return {
    type: TUNNEL_TYPE,
    sourceHash: sourceHash('hemid-deposit-v1', item.txid),
    from: SYSTEM_ADDRESS,
    to: TUNNEL_ADDRESS,
    mint: wei,
    value: wei,
    gas: DEPOSIT_GAS,
    isSystemTransaction: false,
    data: deposit.encode([displayBytes(item.txid), BigInt(item.vout), BigInt(item.height), item.sats, item.recipient, item.payload]),
  };
}

/** The 0x7E that tells the predeploy of a vault spend. */
export function toSpendTransaction(item: VaultSpend): TunnelTransaction {
  return {
    type: TUNNEL_TYPE,
    sourceHash: sourceHash('hemid-spend-v1', item.txid),
    from: SYSTEM_ADDRESS,
    to: TUNNEL_ADDRESS,
    mint: 0n,
    value: 0n,
    gas: 150_000n + 40_000n * BigInt(item.count),
    isSystemTransaction: false,
    data: spend.encode([displayBytes(item.txid), item.firstId, BigInt(item.count), item.netSats, item.outputsHash]),
  };
}

/**
 * The Bitcoin txid (internal order) that a tunnel transaction is about: the first word of its calldata.
 */
export function txidOfTunnelTransaction(transaction: TunnelTransaction): Uint8Array {
  return displayBytes(transaction.data.slice(4, 36));
}

/** What a tunnel transaction says. @throws `protocol/encoding` unless its calldata is that of a deposit or of a spend. */
export function readTunnelTransaction({ data }: TunnelTransaction): { deposit: Deposit } | { spend: VaultSpend } {
  if (equal(data.subarray(0, 4), spend.selector)) {
    const [txid, firstId, count, netSats, outputsHash] = spend.decode(data) as [Uint8Array, bigint, bigint, bigint, Uint8Array];
    return { spend: { txid: displayBytes(txid), firstId, count: Number(count), netSats, outputsHash } };
  }
  const [txid, vout, height, sats, recipient, payload] = deposit.decode(data) as [Uint8Array, bigint, bigint, bigint, Uint8Array, Uint8Array];
  return { deposit: { txid: displayBytes(txid), vout: Number(vout), height: Number(height), sats, recipient, payload } };
}
