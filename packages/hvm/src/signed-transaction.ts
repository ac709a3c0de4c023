import { type Message, type TransactionTerms, toTransaction } from './message.ts';
import { checkStateless } from './user-transaction.ts';

/**
 * Signs the transaction of a message.
 *
 * @param sign gives r ‖ s ‖ recovery id over 32 bytes.
 * @returns the raw transaction.
 * @throws `hvm/transaction-invalid` when no block could take it.
 */
export function signTransaction(message: Message, terms: TransactionTerms, sign: (digest: Uint8Array) => Uint8Array): Uint8Array {
  const tx = toTransaction(message, terms);
  checkStateless({ tx, sender: message.from, raw: new Uint8Array(), hash: new Uint8Array() });
  const signature = sign(tx.getHashedMessageToSign());
  return tx.addSignature(BigInt(signature[64] ?? 0), signature.slice(0, 32), signature.slice(32, 64)).serialize();
}
