import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { displayBytes } from './bitcoin-hash.ts';
import { concat, fromBigEndian, toBigEndian } from './bytes.ts';

/** Sender of every system transaction (protocol 3.1). */
export const SYSTEM_ADDRESS: Uint8Array = hexToBytes('88'.repeat(20));

const predeploy = (low: string): Uint8Array => hexToBytes(`42${low.padStart(38, '0')}`);

export const FEE_VAULT_ADDRESS: Uint8Array = predeploy('19');
export const POP_REWARD_ADDRESS: Uint8Array = predeploy('42');
export const TUNNEL_ADDRESS: Uint8Array = predeploy('0100');
export const DEPOSIT_CALLER_ADDRESS: Uint8Array = predeploy('0101');
/** The contract that gives Bitcoin as structs, for contracts and clients made for Hemi. */
export const BITCOIN_KIT_ADDRESS: Uint8Array = predeploy('0102');
/** The native coin as an ERC-20. */
export const WRAPPED_HBTC_ADDRESS: Uint8Array = predeploy('0103');
/** Where the coins of settled withdrawals go: no code, no key, no supply. */
export const DEAD_ADDRESS: Uint8Array = predeploy('dead');
/** The EIP-2935 contract that keeps parent hashes. */
export const HISTORY_ADDRESS: Uint8Array = hexToBytes('0000f90827f1c53a10cb7a02335b175320002935');

/** Blocks whose hashes the EIP-2935 contract keeps. */
const HISTORY_SERVE_WINDOW = 8191n;

/** Slot of the EIP-2935 contract that holds the hash of a block. */
export const historySlot = (number: bigint): Uint8Array => toBigEndian(number % HISTORY_SERVE_WINDOW, 32);

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Tunnel slot: the queue's Bitcoin block, display order. */
export const CURSOR_HASH_SLOT: Uint8Array = keccak_256(ascii('hemid.cursor.hash'));
/** Tunnel slot: index of the next transaction of that block to look at; 2^32 − 1 = block done. */
export const CURSOR_NEXT_SLOT: Uint8Array = keccak_256(ascii('hemid.cursor.next'));

/** Tunnel slot that is 1 once a Bitcoin transaction (txid in internal order) was credited or reported. */
export function seenSlot(txid: Uint8Array): Uint8Array {
  return keccak_256(concat(ascii('hemid.seen'), displayBytes(txid)));
}

/** PoPReward slot that is 1 once the keystone at this block number was paid. */
export function paidSlot(keystone: bigint): Uint8Array {
  return keccak_256(concat(ascii('hemid.paid'), toBigEndian(keystone, 8)));
}

/** Tunnel slot with four sums, 64 bits each from the lowest on: credited, requested, settled (sats), requests. */
export const TUNNEL_SUMS_SLOT: Uint8Array = new Uint8Array(32);

/** The sums in {@link TUNNEL_SUMS_SLOT}. */
export interface TunnelSums {
  creditedSats: bigint;
  requestedSats: bigint;
  settledSats: bigint;
  requests: bigint;
}

/** Reads a storage word of any length up to 32 bytes. */
export function toTunnelSums(word: Uint8Array): TunnelSums {
  const value = fromBigEndian(word);
  const at = (i: number): bigint => BigInt.asUintN(64, value >> BigInt(64 * i));
  return { creditedSats: at(0), requestedSats: at(1), settledSats: at(2), requests: at(3) };
}
