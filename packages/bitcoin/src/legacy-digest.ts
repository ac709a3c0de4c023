import { Transaction } from 'bitcoinjs-lib';

/** The number one as Bitcoin writes it. */
const ONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));

/** The digest that a signature in a scriptSig signs. SIGHASH_SINGLE without its output signs the number 1, as it always did. */
export function legacyDigest(tx: Transaction, index: number, script: Uint8Array, hashType: number): Uint8Array {
  // bitcoinjs-lib answers with a big-endian 1 here.
  if ((hashType & 0x1f) === Transaction.SIGHASH_SINGLE && index >= tx.outs.length) return ONE.slice();
  return tx.hashForSignature(index, script, hashType);
}
