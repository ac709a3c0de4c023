import {
  type BitcoinInput,
  type BitcoinOutput,
  type BitcoinTransaction,
  type BitcoinView,
  concat,
  displayBytes,
  isUnspendable,
  type PlacedTransaction,
  sizesOf,
  toBigEndian,
} from '@hemid/protocol';
import type { Precompile } from './bind.ts';
import { encodeClamped, encodeCut } from './fields.ts';

/** What the four flag bytes ask for; bit 7 is the highest. */
interface TransactionParts {
  /** The block's hash, and with it the witness count of each input: the public network ties them to one bit. */
  block: boolean;
  version: boolean;
  sizes: boolean;
  locktime: boolean;
  inputs: boolean;
  inputSource: boolean;
  scriptSig: boolean;
  sequence: boolean;
  outputs: boolean;
  outputScript: boolean;
  unspendable: boolean;
  unspent: boolean;
  maxInputs: number;
  maxOutputs: number;
  maxScriptSig: number;
  maxScript: number;
}

interface TransactionInput {
  txid: Uint8Array;
  parts: TransactionParts;
}

function readParts(flags: Uint8Array): TransactionParts {
  const [f1 = 0, f2 = 0, f3 = 0, f4 = 0] = flags;
  const bit = (flag: number, n: number): boolean => ((flag >> n) & 1) === 1;
  return {
    block: bit(f1, 6),
    version: bit(f1, 5),
    sizes: bit(f1, 4),
    locktime: bit(f1, 3),
    inputs: bit(f1, 2),
    inputSource: bit(f1, 1),
    scriptSig: bit(f1, 0),
    sequence: bit(f2, 7),
    outputs: bit(f2, 5),
    outputScript: bit(f2, 4),
    unspendable: bit(f2, 3),
    unspent: bit(f2, 2),
    maxInputs: 2 ** ((f3 >> 3) & 7),
    maxOutputs: 2 ** (f3 & 7),
    maxScriptSig: 2 ** (4 + ((f4 >> 2) & 3)),
    maxScript: 2 ** (4 + (f4 & 3)),
  };
}

const NONE: Uint8Array[] = [];

/** One input, or `undefined` when its source output is unknown. */
function encodeInput({ txid, vout, scriptSig, sequence, witness }: BitcoinInput, parts: TransactionParts, view: BitcoinView): Uint8Array | undefined {
  const source = view.output(txid, vout);
  if (source === undefined) return undefined;
  return concat(
    ...(parts.block ? [encodeClamped(witness.length)] : NONE),
    toBigEndian(source.valueSats, 8),
    ...(parts.inputSource ? [displayBytes(txid), toBigEndian(vout, 4)] : NONE),
    ...(parts.scriptSig ? [encodeCut(scriptSig, parts.maxScriptSig)] : NONE),
    ...(parts.sequence ? [toBigEndian(sequence, 4)] : NONE),
  );
}

function encodeSizes(transaction: BitcoinTransaction): Uint8Array {
  const { total, stripped } = sizesOf(transaction);
  return concat(toBigEndian(total, 4), toBigEndian(stripped, 4));
}

function encodeInputs(inputs: readonly BitcoinInput[], parts: TransactionParts, view: BitcoinView): Uint8Array | undefined {
  const encoded: Uint8Array[] = [encodeClamped(inputs.length)];
  for (const input of inputs.slice(0, parts.maxInputs)) {
    const bytes = encodeInput(input, parts, view);
    if (bytes === undefined) return undefined;
    encoded.push(bytes);
  }
  return concat(...encoded);
}

function encodeOutput({ valueSats, script }: BitcoinOutput, parts: TransactionParts, isUnspent: () => boolean): Uint8Array {
  return concat(
    toBigEndian(valueSats, 8),
    ...(parts.outputScript ? [encodeCut(script, parts.maxScript)] : NONE),
    ...(parts.unspent ? [Uint8Array.of(isUnspent() ? 1 : 0)] : NONE),
  );
}

function encodeOutputs({ transaction: { txid, outputs } }: PlacedTransaction, parts: TransactionParts, view: BitcoinView): Uint8Array {
  const counted = [...outputs.entries()].filter(([, { script }]) => parts.unspendable || !isUnspendable(script));
  const isUnspent = (vout: number): boolean => {
    const output = view.output(txid, vout);
    return output !== undefined && output.spentAt === undefined;
  };
  const encoded = counted.slice(0, parts.maxOutputs).map(([vout, output]) => encodeOutput(output, parts, () => isUnspent(vout)));
  return concat(encodeClamped(counted.length), ...encoded);
}

/**
 * 0x42, transaction.
 *
 * - input: txid display order ‖ f1 ‖ f2 ‖ f3 ‖ f4, 36 bytes
 *   - f1: b6 block hash and witness counts, b5 version, b4 sizes, b3 locktime, b2 inputs, b1 source, b0 scriptSig
 *   - f2: b7 sequence, b5 outputs, b4 output script, b3 unspendable outputs too, b2 unspent byte
 *   - f3: b5–b3 = x, at most 2^x inputs; b2–b0 = y, at most 2^y outputs
 *   - f4: b3–b2 = x, scriptSig cut to 2^(4+x); b1–b0 = y, script cut to 2^(4+y)
 * - output, each part if asked for: block hash ‖ version u32 ‖ total size u32, stripped size u32 ‖ locktime u32 ‖
 *   inputs: count u16, then per input [witness count u16] satoshis u64 [txid, index u32] [scriptSig length u16, cut]
 *   [sequence u32] ‖ outputs: count u16, then per output satoshis u64 [script length u16, cut] [01 unspent / 00];
 *   counts and lengths are totals, 65535 when they are more; empty when the transaction is unknown, or the source
 *   output of an input in the answer is (so always for a coinbase's input)
 */
export const transaction: Precompile<TransactionInput> = {
  name: 'transaction',
  address: 0x42,
  gas: 25_000n,
  decode: (input) => (input.length === 36 ? { txid: displayBytes(input.subarray(0, 32)), parts: readParts(input.subarray(32)) } : undefined),
  run({ txid, parts }, view) {
    const placed = view.transaction(txid);
    if (placed === undefined) return new Uint8Array();
    const { version, locktime } = placed.transaction;
    const inputs = parts.inputs ? encodeInputs(placed.transaction.inputs, parts, view) : new Uint8Array();
    if (inputs === undefined) return new Uint8Array();
    return concat(
      ...(parts.block ? [displayBytes(placed.blockHash)] : NONE),
      ...(parts.version ? [toBigEndian(version >>> 0, 4)] : NONE),
      ...(parts.sizes ? [encodeSizes(placed.transaction)] : NONE),
      ...(parts.locktime ? [toBigEndian(locktime, 4)] : NONE),
      inputs,
      ...(parts.outputs ? [encodeOutputs(placed, parts, view)] : NONE),
    );
  },
};
