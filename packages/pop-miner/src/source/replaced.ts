import { type BitcoinTransaction, toDisplay } from '@hemid/protocol';
import { outpointKey } from '../coin.ts';

/**
 * Transactions of which those that were sent last come last, without those that a later one has replaced (BIP-125),
 * and without what rests on these.
 */
export function withoutReplaced<T extends { transaction: BitcoinTransaction }>(sent: readonly T[]): T[] {
  const byId = new Map(sent.map(({ transaction }) => [toDisplay(transaction.txid), transaction]));
  const spender = new Map(
    sent.flatMap(({ transaction }) => transaction.inputs.map((input) => [outpointKey(input.txid, input.vout), transaction] as const)),
  );
  const isGone = (transaction: BitcoinTransaction): boolean =>
    transaction.inputs.some(({ txid, vout }) => {
      const parent = byId.get(toDisplay(txid));
      return spender.get(outpointKey(txid, vout)) !== transaction || (parent !== undefined && isGone(parent));
    });
  return sent.filter(({ transaction }) => !isGone(transaction));
}
