import { type BitcoinTransaction, toDisplay } from '@hemid/protocol';
import { outpointKey } from './coin.ts';

/** What the mempool means for the miner. */
export interface OwnMempool {
  /** Transactions that spend a coin of the miner. */
  own: BitcoinTransaction[];
  /** Of these, those that nobody else can replace or withhold: every input is the miner's. */
  trusted: BitcoinTransaction[];
  /** Outputs spent in the mempool, by {@link outpointKey}. */
  spent: ReadonlySet<string>;
}

/**
 * Sorts the transactions that concern the miner. `coins` holds its confirmed outputs by {@link outpointKey}, `script`
 * finds those that are unconfirmed, so a transaction counts as its own although its input is in the mempool again.
 */
export function sortMempool(
  transactions: readonly BitcoinTransaction[],
  { coins, pays }: { coins: ReadonlyMap<string, unknown>; pays: (script: Uint8Array) => boolean },
): OwnMempool {
  const byId = new Map(transactions.map((transaction) => [toDisplay(transaction.txid), transaction]));
  const trust = new Map<string, boolean>();

  const parentOf = ({ txid, vout }: { txid: Uint8Array; vout: number }): BitcoinTransaction | undefined => {
    const parent = byId.get(toDisplay(txid));
    const output = parent?.outputs[vout];
    return output !== undefined && pays(output.script) ? parent : undefined;
  };

  const isOwn = ({ inputs }: BitcoinTransaction): boolean =>
    inputs.some((input) => coins.has(outpointKey(input.txid, input.vout)) || parentOf(input) !== undefined);

  function isTrusted(transaction: BitcoinTransaction): boolean {
    const id = toDisplay(transaction.txid);
    const known = trust.get(id);
    if (known !== undefined) return known;
    const answer = transaction.inputs.every((input) => {
      const parent = parentOf(input);
      return coins.has(outpointKey(input.txid, input.vout)) || (parent !== undefined && isTrusted(parent));
    });
    trust.set(id, answer);
    return answer;
  }

  return {
    own: transactions.filter(isOwn),
    trusted: transactions.filter(isTrusted),
    spent: new Set(transactions.flatMap(({ inputs }) => inputs.map(({ txid, vout }) => outpointKey(txid, vout)))),
  };
}
