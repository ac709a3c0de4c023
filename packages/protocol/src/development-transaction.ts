import { RLP } from '@ethereumjs/rlp';
import { concat, fromMinimal, toMinimal } from './bytes.ts';
import { decodeEnvelope, toAddressField, toFields, toSizedField } from './envelope-field.ts';
import { fail } from './errors.ts';

/** Transaction type of development networks. */
export const DEVELOPMENT_TYPE = 0x7f;

/** One thing of an account that a development transaction sets. */
export type AccountWrite = { address: Uint8Array } & (
  | { balance: bigint }
  | { nonce: bigint }
  | { code: Uint8Array }
  | { slot: Uint8Array; value: Uint8Array }
);

/**
 * `0x7F ‖ RLP[from, nonce, to, gas, maxFeePerGas, maxPriorityFeePerGas, value, data, writes]`, on development networks
 * alone: either a call in the name of an account whose key nobody has, or, with gas 0, writes to accounts.
 */
export interface DevelopmentTransaction {
  type: typeof DEVELOPMENT_TYPE;
  /** Whose call it is. */
  from: Uint8Array;
  /** Of the sender; of writes any number, which tells two of them apart. */
  nonce: bigint;
  /** `undefined` creates a contract. */
  to: Uint8Array | undefined;
  gas: bigint;
  /** Wei per gas. */
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
  /** Wei. */
  value: bigint;
  data: Uint8Array;
  writes: AccountWrite[];
}

const KINDS = { balance: 0, nonce: 1, code: 2, slot: 3 };

function encodeWrite(write: AccountWrite): Uint8Array[] {
  const { address } = write;
  if ('balance' in write) return [address, toMinimal(KINDS.balance), toMinimal(write.balance)];
  if ('nonce' in write) return [address, toMinimal(KINDS.nonce), toMinimal(write.nonce)];
  if ('code' in write) return [address, toMinimal(KINDS.code), write.code];
  return [address, toMinimal(KINDS.slot), concat(write.slot, write.value)];
}

function decodeWrite(item: unknown): AccountWrite {
  const [at = none, kind = none, bytes = none] = toFields(item, { count: 3, what: 'a write to an account' });
  const address = toSizedField(at, 20);
  const number = Number(fromMinimal(kind, 1));
  if (number === KINDS.balance) return { address, balance: fromMinimal(bytes, 32) };
  if (number === KINDS.nonce) return { address, nonce: fromMinimal(bytes, 8) };
  if (number === KINDS.code) return { address, code: bytes };
  if (number !== KINDS.slot) throw fail('protocol/encoding', `${number} is no kind of write to an account`);
  const words = toSizedField(bytes, 64);
  return { address, slot: words.slice(0, 32), value: words.slice(32) };
}

const none = new Uint8Array();

/** The envelope: type byte and RLP. */
export function encodeDevelopment(transaction: DevelopmentTransaction): Uint8Array {
  const { from, nonce, to, gas, maxFeePerGas, maxPriorityFeePerGas, value, data, writes } = transaction;
  const numbers = [gas, maxFeePerGas, maxPriorityFeePerGas, value].map(toMinimal);
  const fields = [from, toMinimal(nonce), to ?? none, ...numbers, data, writes.map(encodeWrite)];
  return concat(Uint8Array.of(DEVELOPMENT_TYPE), RLP.encode(fields));
}

/** @throws `protocol/encoding` unless `raw` is exactly one well-formed development transaction. */
export function decodeDevelopment(raw: Uint8Array): DevelopmentTransaction {
  const items = decodeEnvelope(raw);
  const writes: unknown = Array.isArray(items) ? items[8] : undefined;
  if (!Array.isArray(items) || !Array.isArray(writes))
    throw fail('protocol/encoding', 'a development transaction has 9 fields, of which the last is a list');
  const what = 'a development transaction, without its writes,';
  const fields = toFields([...items.slice(0, 8), ...items.slice(9)], { count: 8, what });
  const [from = none, nonce = none, to = none, gas = none, cap = none, tip = none, value = none, data = none] = fields;
  const transaction: DevelopmentTransaction = {
    type: DEVELOPMENT_TYPE,
    from: toSizedField(from, 20),
    nonce: fromMinimal(nonce, 8),
    to: toAddressField(to),
    gas: fromMinimal(gas, 8),
    maxFeePerGas: fromMinimal(cap, 32),
    maxPriorityFeePerGas: fromMinimal(tip, 32),
    value: fromMinimal(value, 32),
    data,
    writes: writes.map(decodeWrite),
  };
  if (transaction.gas === 0n ? transaction.writes.length === 0 : transaction.writes.length > 0) {
    throw fail('protocol/encoding', 'a development transaction is a call with gas, or writes without');
  }
  return transaction;
}
