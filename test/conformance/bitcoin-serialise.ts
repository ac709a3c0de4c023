import type { BitcoinTransaction } from '@hemid/protocol';
import { concat } from '@hemid/protocol';

/** Bitcoin's serialisation, written anew for the comparison: it knows nothing of the parser it checks. */

function uint(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn));
}

function compactSize(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  return value <= 0xffff ? concat(Uint8Array.of(0xfd), uint(BigInt(value), 2)) : concat(Uint8Array.of(0xfe), uint(BigInt(value), 4));
}

const withSize = (bytes: Uint8Array): Uint8Array => concat(compactSize(bytes.length), bytes);

/** A transaction with its witnesses, if it has any. */
export function serialiseTransaction({ version, inputs, outputs, locktime }: BitcoinTransaction): Uint8Array {
  const hasWitness = inputs.some(({ witness }) => witness.length > 0);
  return concat(
    uint(BigInt(version), 4),
    hasWitness ? Uint8Array.of(0, 1) : new Uint8Array(),
    compactSize(inputs.length),
    ...inputs.map(({ txid, vout, scriptSig, sequence }) => concat(txid, uint(BigInt(vout), 4), withSize(scriptSig), uint(BigInt(sequence), 4))),
    compactSize(outputs.length),
    ...outputs.map(({ valueSats, script }) => concat(uint(valueSats, 8), withSize(script))),
    ...(hasWitness ? inputs.map(({ witness }) => concat(compactSize(witness.length), ...witness.map(withSize))) : []),
    uint(BigInt(locktime), 4),
  );
}

/** A block with its witnesses. */
export function serialiseBlock(header: Uint8Array, transactions: readonly BitcoinTransaction[]): Uint8Array {
  return concat(header, compactSize(transactions.length), ...transactions.map(serialiseTransaction));
}
