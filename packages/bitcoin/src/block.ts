import { type BitcoinTransaction, concat, equal, type ReadTransaction, readTransactions, toDisplay } from '@hemid/protocol';
import type { Transaction } from 'bitcoinjs-lib';
import { fail } from './errors.ts';
import { sha256d } from './sha256.ts';

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
    // bitcoinjs-lib reads values as signed.
    outputs: transaction.outs.map((output) => ({ valueSats: BigInt.asUintN(64, output.value), script: output.script })),
  };
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

/** Whether an output script has the form of a witness commitment (BIP-141); the last one of a coinbase counts. */
export function isWitnessCommitment(script: Uint8Array): boolean {
  return script.length >= 38 && equal(script.subarray(0, 6), COMMITMENT);
}

/** Whether the witness commitment holds (BIP-141); without one no input may carry a witness. */
function witnessesMatch(read: readonly ReadTransaction[]): boolean {
  const coinbase = (read[0] as ReadTransaction).transaction;
  const commitment = coinbase.outputs.map((output) => output.script).findLast(isWitnessCommitment);
  if (commitment === undefined) return !read.some(({ hasWitness }) => hasWitness);
  const reserved = coinbase.inputs[0]?.witness ?? [];
  if (reserved.length !== 1 || reserved[0]?.length !== 32) return false;
  const leaves = read.map(({ transaction, raw, hasWitness }, i) => (i === 0 ? new Uint8Array(32) : hasWitness ? sha256d(raw) : transaction.txid));
  return equal(sha256d(concat(merkleRoot(leaves).root, reserved[0])), commitment.subarray(6, 38));
}

/**
 * Parses a raw block (serialised with witness) and checks that its body belongs to its header: merkle root and
 * witness commitment (protocol 4.4). What it returns looks into `raw`, which must not change any more.
 *
 * @throws `bitcoin/block-invalid`
 */
export function parseBlock(raw: Uint8Array): BitcoinBlock {
  // A Buffer would hand out Buffers, whose `slice` shares memory.
  const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
  const header = bytes.slice(0, 80);
  const hash = sha256d(header);
  const refuse = (rule: string, cause?: unknown): Error =>
    fail('bitcoin/block-invalid', `Bitcoin block ${toDisplay(hash)} is invalid: ${rule}`, { cause });
  let read: ReadTransaction[];
  try {
    read = readTransactions(bytes, { start: 80, hash: sha256d });
  } catch (cause) {
    throw refuse('it does not parse', cause);
  }
  if (read[0]?.transaction.isCoinbase !== true) throw refuse('the first transaction is not a coinbase');
  const { root, mutated } = merkleRoot(read.map(({ transaction }) => transaction.txid));
  if (mutated || !equal(root, header.subarray(36, 68))) throw refuse('the merkle root does not match');
  if (!witnessesMatch(read)) throw refuse('the witness commitment does not match');
  return { hash, header, transactions: read.map(({ transaction }) => transaction) };
}
