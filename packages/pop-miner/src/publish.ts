import { type Selection, selectCoins, spendableCoins } from './coin-selection.ts';
import { fail } from './errors.ts';
import { chooseFeeRate, type FeeOptions } from './fee.ts';
import type { Outlook } from './outlook.ts';
import type { Candidate } from './policy.ts';
import { buildPopTransaction, type PopTransaction } from './pop-transaction.ts';
import type { PopWallet } from './pop-wallet.ts';
import type { MinerBitcoin } from './ports.ts';

export interface PublishDeps {
  bitcoin: MinerBitcoin;
  wallet: PopWallet;
  fees: FeeOptions;
}

/** A publication that the Bitcoin node took. */
export interface Published extends PopTransaction {
  feeSats: bigint;
}

/**
 * Pays for the publication of a keystone and broadcasts it.
 *
 * @throws `pop-miner/no-funds`, `pop-miner/fee-too-high` and `pop-miner/refused` (all `retry`), and the errors of the
 * Bitcoin node.
 */
export async function publish(
  { bitcoin, wallet, fees }: PublishDeps,
  { candidate, outlook }: { candidate: Candidate; outlook: Outlook },
  signal?: AbortSignal,
): Promise<Published> {
  const { keystone } = candidate;
  const { estimate } = await bitcoin.feeMarket(signal);
  const selection = getSelection(outlook, { feeRate: chooseFeeRate(fees, estimate), wallet });
  const transaction = buildPopTransaction(wallet, { keystone, ...selection });
  await bitcoin.broadcast(transaction.raw, signal);
  return { ...transaction, feeSats: selection.feeSats };
}

/** The coins to pay with; when they do not, the error says what is missing. */
function getSelection({ coins, tipHeight }: Outlook, { feeRate, wallet }: { feeRate: bigint; wallet: PopWallet }): Selection {
  const spendable = spendableCoins(coins, tipHeight);
  const selection = selectCoins(spendable, { feeRate, wallet });
  if (selection !== undefined) return selection;
  if (coins.length === 0) throw fail('pop-miner/no-funds', `there is no bitcoin at ${wallet.address}: send some to it`);
  if (spendable.length === 0) throw fail('pop-miner/no-funds', `the bitcoin at ${wallet.address} must wait for blocks before it can be spent`);
  throw fail('pop-miner/no-funds', `the bitcoin at ${wallet.address} does not pay the fee of a publication: send more to it`);
}
