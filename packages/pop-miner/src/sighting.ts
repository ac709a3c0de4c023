import { type BitcoinTransaction, hashAbbreviated, readMiner, readPopScript, toKeystoneId } from '@hemid/protocol';

/** A payable publication of a keystone, in a block of the best chain or in the mempool (protocol section 7). */
export interface Sighting {
  /** Abbreviated hash, display order. */
  keystoneId: string;
  keystoneNumber: number;
  /** Internal order. */
  txid: Uint8Array;
  /** L2 address that is rewarded, 20 bytes. */
  miner: Uint8Array;
  /** Height of its block; `undefined` in the mempool. */
  height: number | undefined;
}

/** A publication counts up to so many blocks above the Bitcoin tip that the keystone's block names (protocol section 8). */
export const KEYSTONE_WINDOW = 144;

/** Whether an output publishes a keystone (protocol section 7). */
export function isPopOutput(script: Uint8Array): boolean {
  return readPopScript(script) !== undefined;
}

/** The payable publications of a transaction. */
export function sightingsIn(transaction: BitcoinTransaction, height: number | undefined): Sighting[] {
  const [input] = transaction.inputs;
  if (transaction.isCoinbase || input === undefined) return [];
  const keystones = transaction.outputs.flatMap(({ script }) => readPopScript(script) ?? []);
  if (keystones.length === 0) return [];
  const miner = readMiner(input);
  if (miner === undefined) return [];
  return keystones.map((keystone) => ({
    keystoneId: toKeystoneId(hashAbbreviated(keystone)),
    keystoneNumber: keystone.l2BlockNumber,
    txid: transaction.txid,
    miner,
    height,
  }));
}
