import { toBitcoinTransaction } from '@hemid/bitcoin';
import { type BitcoinTransaction, equal, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { type Coin, outpointKey } from '../coin.ts';
import { KEYSTONE_WINDOW } from '../sighting.ts';
import { withoutReplaced } from './replaced.ts';

/** A transaction that this process sent. */
export interface SentTransaction {
  transaction: BitcoinTransaction;
  /** The confirmed coins that it spends; not the change of one that was sent before it. */
  spends: readonly Coin[];
  /** `undefined` when it spends what is not known here. */
  feeSats: bigint | undefined;
  /** Height of the tip when it was sent. */
  sinceHeight: number;
  /** Height of the tip when it was first seen to be in a block; `undefined` while it waits. */
  minedHeight: number | undefined;
}

/** What the unspent outputs of the wallet say; all by `outpointKey`. */
export interface UnspentNow {
  tipHeight: number;
  /** Those that no block has spent. */
  confirmed: ReadonlyMap<string, Coin>;
  /** Of these, those that no transaction of the mempool spends, as far as the source knows. */
  free: ReadonlySet<string>;
}

/** The transactions that this process sent, for a source that cannot list the mempool. */
export interface SentTransactions {
  add(raw: Uint8Array, tipHeight: number): void;
  /** Sorts them anew; `isInChain` is asked where the outputs leave it open. */
  follow(now: UnspentNow, isInChain: (txid: Uint8Array) => Promise<boolean>): Promise<void>;
  /** Those that wait in the mempool; which of two that spend the same coin is mined, a block decides. */
  waiting(): readonly SentTransaction[];
  mined(): readonly SentTransaction[];
}

/** Creates an empty memory. */
export function createSentTransactions(): SentTransactions {
  let sent: SentTransaction[] = [];
  let confirmed: ReadonlyMap<string, Coin> = new Map();

  function feeOf({ inputs, outputs }: BitcoinTransaction): bigint | undefined {
    let feeSats = outputs.reduce((total, { valueSats }) => total - valueSats, 0n);
    for (const { txid, vout } of inputs) {
      const parent = sent.find(({ transaction }) => equal(transaction.txid, txid))?.transaction.outputs[vout];
      const spent = confirmed.get(outpointKey(txid, vout)) ?? parent;
      if (spent === undefined) return undefined;
      feeSats += spent.valueSats;
    }
    return feeSats;
  }

  /** How a transaction stands now; `undefined` when it is not to be seen any more. */
  async function place(
    one: SentTransaction,
    now: UnspentNow,
    { kept, isInChain }: { kept: readonly SentTransaction[]; isInChain: (txid: Uint8Array) => Promise<boolean> },
  ): Promise<SentTransaction | undefined> {
    const parents = new Set(kept.filter(({ minedHeight }) => minedHeight === undefined).map(({ transaction }) => toDisplay(transaction.txid)));
    const inputs = one.transaction.inputs.map(({ txid, vout }) => ({ parent: toDisplay(txid), key: outpointKey(txid, vout) }));
    if (inputs.every(({ parent, key }) => now.confirmed.has(key) || parents.has(parent))) {
      // Its coins are free again although a block has come since: the mempool has dropped it.
      const isDropped = now.tipHeight > one.sinceHeight && inputs.some(({ key }) => now.free.has(key));
      return isDropped ? undefined : { ...one, minedHeight: undefined };
    }
    if (!(await isInChain(one.transaction.txid))) return undefined;
    const minedHeight = one.minedHeight ?? now.tipHeight;
    return now.tipHeight - minedHeight > KEYSTONE_WINDOW ? undefined : { ...one, minedHeight };
  }

  return {
    add(raw, tipHeight) {
      const transaction = toBitcoinTransaction(Transaction.fromBuffer(raw));
      if (sent.some((other) => equal(other.transaction.txid, transaction.txid))) return;
      const spends = transaction.inputs.flatMap(({ txid, vout }) => confirmed.get(outpointKey(txid, vout)) ?? []);
      sent.push({ transaction, spends, feeSats: feeOf(transaction), sinceHeight: tipHeight, minedHeight: undefined });
    },
    async follow(now, isInChain) {
      const kept: SentTransaction[] = [];
      // Parents were sent before their children.
      for (const one of sent) {
        const placed = await place(one, now, { kept, isInChain });
        if (placed !== undefined) kept.push(placed);
      }
      sent = kept;
      confirmed = now.confirmed;
    },
    waiting: () => withoutReplaced(sent.filter(({ minedHeight }) => minedHeight === undefined)),
    mined: () => sent.filter(({ minedHeight }) => minedHeight !== undefined),
  };
}
