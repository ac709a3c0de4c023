import { type BitcoinBlock, type BitcoinRpc, satsFromBtc } from '@hemid/bitcoin';
import { type BitcoinTransaction, equal, isHemidError, toDisplay } from '@hemid/protocol';
import { outpointKey } from '../coin.ts';
import { isMinersWork, type Spending, vsizeOf } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';

/** A transaction of the miner's own in a block, before its fee is known. */
export interface Work {
  transaction: BitcoinTransaction;
  height: number;
}

/** The transactions of a block that the miner made. */
export function worksIn({ transactions }: BitcoinBlock, { height, wallet }: { height: number; wallet: PopWallet }): Work[] {
  return transactions.flatMap((transaction) => (isMinersWork(transaction, wallet) ? [{ transaction, height }] : []));
}

/** The values of a block's outputs that pay the miner, by `outpointKey`. */
export function valuesIn({ transactions }: BitcoinBlock, wallet: PopWallet): [string, bigint][] {
  return transactions.flatMap(({ txid, outputs }) =>
    outputs.flatMap(({ script, valueSats }, vout): [string, bigint][] =>
      equal(script, wallet.script) ? [[outpointKey(txid, vout), valueSats]] : [],
    ),
  );
}

/** What a transaction cost, by the values of the miner's outputs; `undefined` when one of them is not known. */
export function toSpending({ transaction, height }: Work, readValue: (outpoint: string) => bigint | undefined): Spending {
  const { txid, inputs, outputs } = transaction;
  const values = inputs.map((input) => readValue(outpointKey(input.txid, input.vout)));
  const paid = values.reduce((total, value) => (total === undefined || value === undefined ? undefined : total + value), 0n);
  const kept = outputs.reduce((total, { valueSats }) => total + valueSats, 0n);
  return { txid, height, feeSats: paid === undefined ? undefined : paid - kept, vsize: vsizeOf(transaction) };
}

/** The fee of a transaction as the Bitcoin node remembers it with its block; a pruned or an embedded node does not. */
export async function readMinedFee(rpc: BitcoinRpc, { txid, blockHash }: { txid: Uint8Array; blockHash: Uint8Array }, signal?: AbortSignal) {
  try {
    const { tx } = (await rpc('getblock', [toDisplay(blockHash), 2], signal)) as { tx: { txid: string; fee?: number }[] };
    const fee = tx.find((transaction) => transaction.txid === toDisplay(txid))?.fee;
    return fee === undefined ? undefined : satsFromBtc(fee);
  } catch (error) {
    if (isHemidError(error, 'bitcoin/rpc')) return undefined;
    throw error;
  }
}
