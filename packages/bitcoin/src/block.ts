import { type BitcoinTransaction, concat, equal, hashBitcoinHeader, sha256d, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { fail } from './errors.ts';

/** A Bitcoin block, parsed. */
export interface BitcoinBlock {
  hash: Uint8Array;
  /** 80 bytes. */
  header: Uint8Array;
  transactions: BitcoinTransaction[];
}

const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/** A transaction as rules read it, from bitcoinjs-lib's. */
export function toBitcoinTransaction(transaction: Transaction): BitcoinTransaction {
  return {
    txid: transaction.getHash(),
    version: transaction.version,
    locktime: transaction.locktime,
    isCoinbase: transaction.isCoinbase(),
    inputs: transaction.ins.map((input) => ({
      txid: input.hash,
      vout: input.index,
      scriptSig: input.script,
      sequence: input.sequence,
      witness: input.witness,
    })),
    outputs: transaction.outs.map((output) => ({ valueSats: output.value, script: output.script })),
  };
}

/** Reads a compact size at `offset`. */
function readCompactSize(bytes: Uint8Array, offset: number): { value: number; next: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = view.getUint8(offset);
  if (first < 0xfd) return { value: first, next: offset + 1 };
  if (first === 0xfd) return { value: view.getUint16(offset + 1, true), next: offset + 3 };
  if (first === 0xfe) return { value: view.getUint32(offset + 1, true), next: offset + 5 };
  throw new RangeError('a block cannot hold 2^32 transactions');
}

function parseTransactions(raw: Uint8Array): Transaction[] {
  const { value: count, next } = readCompactSize(raw, 80);
  const transactions: Transaction[] = [];
  let offset = next;
  for (let i = 0; i < count; i += 1) {
    const parse = Transaction.fromBuffer as (bytes: Uint8Array, noStrict: boolean) => Transaction;
    const transaction = parse(raw.subarray(offset), true);
    offset += transaction.byteLength();
    transactions.push(transaction);
  }
  if (offset !== raw.length) throw new RangeError('the block has trailing bytes');
  return transactions;
}

/** Merkle root of hashes; `mutated` when a level pairs two equal hashes (CVE-2012-2459). */
export function merkleRoot(leaves: readonly Uint8Array[]): { root: Uint8Array; mutated: boolean } {
  let level = [...leaves];
  let mutated = false;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array;
      const right = level[i + 1];
      if (right !== undefined && equal(left, right)) mutated = true;
      next.push(sha256d(concat(left, right ?? left)));
    }
    level = next;
  }
  return { root: level[0] ?? new Uint8Array(32), mutated };
}

/** Whether the witness commitment holds (BIP-141); without one no input may carry a witness. */
function witnessesMatch(transactions: readonly Transaction[]): boolean {
  const coinbase = transactions[0] as Transaction;
  const commitment = coinbase.outs
    .map((output) => output.script)
    .findLast((script) => script.length >= 38 && equal(script.subarray(0, 6), COMMITMENT));
  if (commitment === undefined) return !transactions.some((transaction) => transaction.hasWitnesses());
  const reserved = coinbase.ins[0]?.witness ?? [];
  if (reserved.length !== 1 || reserved[0]?.length !== 32) return false;
  const leaves = transactions.map((transaction, i) => (i === 0 ? new Uint8Array(32) : transaction.getHash(true)));
  return equal(sha256d(concat(merkleRoot(leaves).root, reserved[0])), commitment.subarray(6, 38));
}

/**
 * Parses a raw block (serialised with witness) and checks that its body belongs to its header: merkle root and
 * witness commitment (protocol 4.4).
 *
 * @throws `bitcoin/block-invalid`
 */
export function parseBlock(raw: Uint8Array): BitcoinBlock {
  const header = raw.slice(0, 80);
  const hash = hashBitcoinHeader(header);
  const refuse = (rule: string, cause?: unknown): Error =>
    fail('bitcoin/block-invalid', `Bitcoin block ${toDisplay(hash)} is invalid: ${rule}`, { cause });
  let transactions: Transaction[];
  try {
    transactions = parseTransactions(raw);
  } catch (cause) {
    throw refuse('it does not parse', cause);
  }
  if (transactions[0]?.isCoinbase() !== true) throw refuse('the first transaction is not a coinbase');
  const { root, mutated } = merkleRoot(transactions.map((transaction) => transaction.getHash()));
  if (mutated || !equal(root, header.subarray(36, 68))) throw refuse('the merkle root does not match');
  if (!witnessesMatch(transactions)) throw refuse('the witness commitment does not match');
  return { hash, header, transactions: transactions.map(toBitcoinTransaction) };
}
