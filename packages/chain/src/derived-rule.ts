import {
  ATTRIBUTES_TYPE,
  decodePayout,
  encodeSystemTransaction,
  equal,
  PAYOUT_TYPE,
  type SystemTransaction,
  toDigits,
  toDisplay,
  txidOfTunnelTransaction,
} from '@hemid/protocol';
import { invalidBlock } from './errors.ts';

/** What a derived transaction is about, in words and as a key. */
function subjectOf(transaction: SystemTransaction): { key: string; name: string } {
  if (transaction.type === ATTRIBUTES_TYPE) return { key: 'attributes', name: 'a second attributes transaction' };
  if (transaction.type === PAYOUT_TYPE) {
    const { blockRewarded } = decodePayout(transaction.data);
    return { key: `payout ${blockRewarded}`, name: `the PoP payout of keystone ${blockRewarded}` };
  }
  const txid = toDisplay(txidOfTunnelTransaction(transaction));
  const kind = transaction.mint === 0n ? 'vault spend' : 'deposit';
  return { key: `tunnel ${toDigits(transaction.sourceHash)}`, name: `the ${kind} of Bitcoin transaction ${txid}` };
}

/**
 * Compares the derived transactions of a block with those that are due.
 *
 * @throws `chain/block-invalid` saying which one is missing, not due, changed, or out of order.
 */
export function checkDerived(due: readonly SystemTransaction[], actual: readonly SystemTransaction[]): void {
  const same = due.length === actual.length && due.every((one, i) => sameTransaction(one, actual[i]));
  if (same) return;
  const dueSubjects = due.map((transaction) => ({ transaction, ...subjectOf(transaction) }));
  const actualSubjects = actual.map((transaction) => ({ transaction, ...subjectOf(transaction) }));
  for (const { key, name } of dueSubjects) {
    if (!actualSubjects.some((one) => one.key === key)) {
      throw invalidBlock('derived-missing', `the block omits ${name}, which is due`);
    }
  }
  for (const { key, name, transaction } of actualSubjects) {
    const expected = dueSubjects.find((one) => one.key === key);
    if (expected === undefined) throw invalidBlock('derived-not-due', `the block contains ${name}, which is not due`);
    if (!sameTransaction(expected.transaction, transaction)) {
      throw invalidBlock('derived-changed', `the block contains ${name}, but not as it is derived`);
    }
  }
  throw invalidBlock('derived-order', 'the derived transactions of the block are in the wrong order, or one stands there twice');
}

function sameTransaction(a: SystemTransaction, b: SystemTransaction | undefined): boolean {
  return b !== undefined && equal(encodeSystemTransaction(a), encodeSystemTransaction(b));
}
