import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concat, fromMinimal, toMinimal } from './bytes.ts';
import { DEVELOPMENT_TYPE, type DevelopmentTransaction, decodeDevelopment, encodeDevelopment } from './development-transaction.ts';
import { decodeEnvelope, toAddressField, toFields, toSizedField } from './envelope-field.ts';
import { fail } from './errors.ts';

/** Transaction type of the Bitcoin attributes. */
export const ATTRIBUTES_TYPE = 0x7c;
/** Transaction type of PoP payouts. */
export const PAYOUT_TYPE = 0x7d;
/** Transaction type of the tunnel. */
export const TUNNEL_TYPE = 0x7e;

/** `0x7C ‖ RLP[to, gas, data]`: moves the Bitcoin view (protocol 4.1). `to` is `undefined` only in foreign data. */
export interface AttributesTransaction {
  type: typeof ATTRIBUTES_TYPE;
  to: Uint8Array | undefined;
  gas: bigint;
  data: Uint8Array;
}

/** `0x7D ‖ RLP[to, gas, data]`: pays PoP miners (protocol section 9). */
export interface PayoutTransaction {
  type: typeof PAYOUT_TYPE;
  to: Uint8Array | undefined;
  gas: bigint;
  data: Uint8Array;
}

/** `0x7E ‖ RLP[sourceHash, from, to, mint, value, gas, isSystemTransaction, data]` (protocol section 10). */
export interface TunnelTransaction {
  type: typeof TUNNEL_TYPE;
  sourceHash: Uint8Array;
  from: Uint8Array;
  to: Uint8Array | undefined;
  /** Wei. */
  mint: bigint;
  /** Wei. */
  value: bigint;
  gas: bigint;
  isSystemTransaction: boolean;
  data: Uint8Array;
}

export type SystemTransaction = AttributesTransaction | PayoutTransaction | TunnelTransaction;

/** What has no signature: system transactions, and those of development networks. */
export type SystemEnvelope = SystemTransaction | DevelopmentTransaction;

const none = new Uint8Array();

/** Whether these are the bytes of a system transaction (0x7C, 0x7D, 0x7E, on development networks 0x7F). */
export function isSystemEnvelope(raw: Uint8Array): boolean {
  return raw[0] === ATTRIBUTES_TYPE || raw[0] === PAYOUT_TYPE || raw[0] === TUNNEL_TYPE || raw[0] === DEVELOPMENT_TYPE;
}

/** The envelope of a tunnel transaction: type byte and RLP. */
export function encodeTunnelTransaction(transaction: TunnelTransaction): Uint8Array {
  const { sourceHash, from, to, mint, value, gas, isSystemTransaction, data } = transaction;
  const numbers = [mint, value, gas, isSystemTransaction ? 1 : 0].map(toMinimal);
  return concat(Uint8Array.of(TUNNEL_TYPE), RLP.encode([sourceHash, from, to ?? none, ...numbers, data]));
}

/** The envelope: type byte and RLP. */
export function encodeSystemTransaction(transaction: SystemEnvelope): Uint8Array {
  if (transaction.type === DEVELOPMENT_TYPE) return encodeDevelopment(transaction);
  if (transaction.type === TUNNEL_TYPE) return encodeTunnelTransaction(transaction);
  const { type, to, gas, data } = transaction;
  return concat(Uint8Array.of(type), RLP.encode([to ?? none, toMinimal(gas), data]));
}

function decodeFields(raw: Uint8Array, count: number): Uint8Array[] {
  return toFields(decodeEnvelope(raw), { count, what: `a system transaction of type ${raw[0]}` });
}

/** @throws `protocol/encoding` unless `raw` is exactly one well-formed tunnel transaction. */
export function decodeTunnelTransaction(raw: Uint8Array): TunnelTransaction {
  if (raw[0] !== TUNNEL_TYPE) throw fail('protocol/encoding', 'not a tunnel transaction');
  const [sourceHash = none, from = none, to = none, mint = none, value = none, gas = none, flag = none, data = none] = decodeFields(raw, 8);
  const isSystem = fromMinimal(flag, 1);
  if (isSystem > 1n) throw fail('protocol/encoding', 'isSystemTransaction is 0 or 1');
  return {
    type: TUNNEL_TYPE,
    sourceHash: toSizedField(sourceHash, 32),
    from: toSizedField(from, 20),
    to: toAddressField(to),
    mint: fromMinimal(mint, 32),
    value: fromMinimal(value, 32),
    gas: fromMinimal(gas, 8),
    isSystemTransaction: isSystem === 1n,
    data,
  };
}

/** @throws `protocol/encoding` unless `raw` is exactly one well-formed envelope. */
export function decodeSystemTransaction(raw: Uint8Array): SystemEnvelope {
  const type = raw[0];
  if (type === DEVELOPMENT_TYPE) return decodeDevelopment(raw);
  if (type === TUNNEL_TYPE) return decodeTunnelTransaction(raw);
  if (type !== ATTRIBUTES_TYPE && type !== PAYOUT_TYPE) throw fail('protocol/encoding', 'not a system transaction');
  const [to = none, gas = none, data = none] = decodeFields(raw, 3);
  return { type, to: toAddressField(to), gas: fromMinimal(gas, 8), data };
}

/** The transaction hash: keccak256 of the envelope. */
export function hashTransaction(raw: Uint8Array): Uint8Array {
  return keccak_256(raw);
}
