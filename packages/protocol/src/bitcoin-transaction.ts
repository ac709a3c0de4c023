/** A transaction input. */
export interface BitcoinInput {
  /** Transaction whose output is spent, internal order. */
  txid: Uint8Array;
  vout: number;
  scriptSig: Uint8Array;
  sequence: number;
  witness: Uint8Array[];
}

/** A transaction output. */
export interface BitcoinOutput {
  valueSats: bigint;
  script: Uint8Array;
}

/** A Bitcoin transaction as rules read it; its bytes stay with the block. */
export interface BitcoinTransaction {
  /** Internal order. */
  txid: Uint8Array;
  version: number;
  locktime: number;
  isCoinbase: boolean;
  inputs: BitcoinInput[];
  outputs: BitcoinOutput[];
}

const OP_RETURN = 0x6a;
const MAX_SCRIPT = 10_000;

/** Whether no input can ever spend an output of this script: it never enters the unspent set (protocol 4.4). */
export function isUnspendable(script: Uint8Array): boolean {
  return script[0] === OP_RETURN || script.length > MAX_SCRIPT;
}

/** Bytes of a compact size. */
function compactSizeOf(value: number): number {
  if (value < 0xfd) return 1;
  if (value <= 0xffff) return 3;
  return value <= 0xffffffff ? 5 : 9;
}

const prefixedSizeOf = (bytes: Uint8Array): number => compactSizeOf(bytes.length) + bytes.length;

function witnessSizeOf({ witness }: BitcoinInput): number {
  return witness.reduce((size, element) => size + prefixedSizeOf(element), compactSizeOf(witness.length));
}

/** Bytes of a transaction as Bitcoin serialises it: all of it, and stripped of its witnesses (BIP-144). */
export function sizesOf({ inputs, outputs }: BitcoinTransaction): { total: number; stripped: number } {
  const stripped =
    8 +
    compactSizeOf(inputs.length) +
    compactSizeOf(outputs.length) +
    inputs.reduce((size, input) => size + 40 + prefixedSizeOf(input.scriptSig), 0) +
    outputs.reduce((size, output) => size + 8 + prefixedSizeOf(output.script), 0);
  if (inputs.every(({ witness }) => witness.length === 0)) return { total: stripped, stripped };
  return { total: inputs.reduce((size, input) => size + witnessSizeOf(input), stripped + 2), stripped };
}
