import { type BitcoinRpc, toBitcoinTransaction } from '@hemid/bitcoin';
import { type BitcoinTransaction, isHemidError, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';

/** A transaction (txid in internal order) that waits in a Bitcoin node's mempool; `undefined` too when the node cannot be asked. */
export async function readUnconfirmed(rpc: BitcoinRpc, txid: Uint8Array): Promise<BitcoinTransaction | undefined> {
  try {
    // With an index of transactions the second call alone would find those of orphaned blocks too.
    await rpc('getmempoolentry', [toDisplay(txid)]);
    return toBitcoinTransaction(Transaction.fromHex((await rpc('getrawtransaction', [toDisplay(txid)])) as string));
  } catch (error) {
    // Not there, or nobody to ask: nothing of a deposit's fate hangs on it.
    if (isHemidError(error)) return undefined;
    throw error;
  }
}
