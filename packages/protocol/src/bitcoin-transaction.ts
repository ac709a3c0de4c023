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
