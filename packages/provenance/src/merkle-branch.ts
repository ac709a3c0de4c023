import { type BitcoinTransaction, concat, sha256d } from '@hemid/protocol';
import type { BitcoinInclusion } from './proof.ts';

const littleEndian = (value: bigint | number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));

function compactSize(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  return value <= 0xffff ? concat(Uint8Array.of(0xfd), littleEndian(value, 2)) : concat(Uint8Array.of(0xfe), littleEndian(value, 4));
}

const prefixed = (bytes: Uint8Array): Uint8Array => concat(compactSize(bytes.length), bytes);

/** A transaction without its witnesses: the bytes whose sha256d is its txid (BIP-144). */
export function encodeStripped({ version, inputs, outputs, locktime }: BitcoinTransaction): Uint8Array {
  return concat(
    littleEndian(version, 4),
    compactSize(inputs.length),
    ...inputs.map((input) => concat(input.txid, littleEndian(input.vout, 4), prefixed(input.scriptSig), littleEndian(input.sequence, 4))),
    compactSize(outputs.length),
    ...outputs.map((output) => concat(littleEndian(output.valueSats, 8), prefixed(output.script))),
    littleEndian(locktime, 4),
  );
}

/** The siblings from a leaf up to the root of Bitcoin's merkle tree. */
function branchOf(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  const branch: Uint8Array[] = [];
  for (let level = leaves, at = index; level.length > 1; at = Math.floor(at / 2)) {
    branch.push((level[at % 2 === 0 ? at + 1 : at - 1] ?? level[at]) as Uint8Array);
    const below = level;
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => {
      const left = below[2 * i] as Uint8Array;
      return sha256d(concat(left, below[2 * i + 1] ?? left));
    });
  }
  return branch;
}

/** Shows a transaction in a block at `height`. */
export function proveInclusion(transactions: readonly BitcoinTransaction[], { height, index }: { height: number; index: number }): BitcoinInclusion {
  const leaves = transactions.map(({ txid }) => txid);
  return {
    height,
    index,
    transaction: encodeStripped(transactions[index] as BitcoinTransaction),
    branch: branchOf(leaves, index),
    coinbase: encodeStripped(transactions[0] as BitcoinTransaction),
    coinbaseBranch: branchOf(leaves, 0),
  };
}
