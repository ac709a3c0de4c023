import { type BitcoinTransaction, concat, fromDisplay, toDigits, toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { uint32 } from './field.ts';

/** Go writes bytes as base64, none as null. */
const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be base64')
  .nullish()
  .transform((text) => Uint8Array.from(Buffer.from(text ?? '', 'base64')));

/** Older clients write a hash as a list of bytes, internal order. */
const outpointHash = z.union(
  [
    z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .transform(fromDisplay),
    z
      .array(z.int().min(0).max(255))
      .length(32)
      .transform((list) => Uint8Array.from(list)),
  ],
  'must be a hash of 64 hex digits',
);

/** A transaction as Go's JSON writes btcd's `wire.MsgTx`. */
export const goTransaction = z.object({
  Version: z.int().min(-0x80000000).max(0xffffffff),
  TxIn: z.array(
    z.object({
      PreviousOutPoint: z.object({ Hash: outpointHash, Index: uint32 }),
      SignatureScript: base64,
      Witness: z.array(base64).nullish(),
      Sequence: uint32,
    }),
  ),
  TxOut: z.array(z.object({ Value: z.int().min(0), PkScript: base64 })),
  LockTime: uint32,
});

function littleEndian(value: number | bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

function compactSize(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  return value <= 0xffff ? concat(Uint8Array.of(0xfd), littleEndian(value, 2)) : concat(Uint8Array.of(0xfe), littleEndian(value, 4));
}

const prefixed = (bytes: Uint8Array): Uint8Array => concat(compactSize(bytes.length), bytes);
const listed = (parts: readonly Uint8Array[]): Uint8Array => concat(compactSize(parts.length), ...parts);

/** Its bytes, as Bitcoin serialises it (BIP-144). */
export function encodeGoTransaction({ Version, TxIn, TxOut, LockTime }: z.output<typeof goTransaction>): Uint8Array {
  const hasWitness = TxIn.some(({ Witness }) => (Witness ?? []).length > 0);
  return concat(
    littleEndian(BigInt.asUintN(32, BigInt(Version)), 4),
    hasWitness ? Uint8Array.of(0, 1) : new Uint8Array(),
    listed(
      TxIn.map(({ PreviousOutPoint: { Hash, Index }, SignatureScript, Sequence }) =>
        concat(Hash, littleEndian(Index, 4), prefixed(SignatureScript), littleEndian(Sequence, 4)),
      ),
    ),
    listed(TxOut.map(({ Value, PkScript }) => concat(littleEndian(Value, 8), prefixed(PkScript)))),
    ...(hasWitness ? TxIn.map(({ Witness }) => listed((Witness ?? []).map(prefixed))) : []),
    littleEndian(LockTime, 4),
  );
}

/** A transaction in the form of the public node's own answers, which differs from what it takes. */
export function showTransaction({ version, locktime, inputs, outputs }: BitcoinTransaction) {
  return {
    version: version | 0,
    lock_time: locktime,
    tx_in: inputs.map(({ txid, vout, scriptSig, witness, sequence }) => ({
      outpoint: { hash: toDisplay(txid), index: vout },
      signature_script: toDigits(scriptSig),
      tx_witness: witness.map(toDigits),
      sequence,
    })),
    tx_out: outputs.map(({ valueSats, script }) => ({ value: Number(valueSats), pk_script: toDigits(script) })),
  };
}
