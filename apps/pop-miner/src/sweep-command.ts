import {
  buildSweep,
  createPopWallet,
  type FeeMarket,
  type MinerBitcoin,
  type PopWallet,
  type Sweep,
  spendableCoins,
  toFeeRate,
} from '@hemid/pop-miner';
import { addressToScript, toDisplay } from '@hemid/protocol';
import { feesOf, type SweepConfig } from './config.ts';
import { fail } from './errors.ts';
import { readKey } from './key.ts';
import type { AskSecret } from './prompt.ts';

export interface SweepDeps {
  ask: AskSecret;
  /** Prints a text as it is. */
  write: (text: string) => void;
  /** Bitcoin, as the wallet sees it. */
  connect: (wallet: PopWallet) => MinerBitcoin;
}

/**
 * `popmd sweep`: sends everything spendable to one address, and prints the txid.
 *
 * @throws `popmd/nothing-to-sweep`, `popmd/fee-too-high`, `popmd/unconfirmed` without --yes, what reading the key throws, and the errors of
 * the Bitcoin source.
 */
export async function runSweep(config: SweepConfig, { ask, write, connect }: SweepDeps): Promise<void> {
  const wallet = createPopWallet(await readKey(config, ask), { network: config.bitcoinNetwork, kind: config.addressType });
  const bitcoin = connect(wallet);
  await bitcoin.checkNetwork(config.bitcoinNetwork);
  const { coins, tipHeight } = await bitcoin.look([]);
  const spendable = spendableCoins(coins, tipHeight);
  // The schema has checked the address.
  const script = addressToScript(config.to, config.bitcoinNetwork) as Uint8Array;
  const feeRate = chooseRate(config, await bitcoin.feeMarket());
  const sweep = buildSweep(wallet, { spendable, script, feeRate });
  if (sweep === undefined) throw fail('popmd/nothing-to-sweep', describeNothing(wallet, { coins: coins.length, spendable: spendable.length }));
  write(describeSweep(sweep, { config, wallet, left: coins.length - sweep.coins.length }));
  if (!config.yes) throw fail('popmd/unconfirmed', 'nothing was sent: add --yes to send it');
  await bitcoin.broadcast(sweep.raw);
  write(`${toDisplay(sweep.txid)}\n`);
}

/** The rate that was asked for, else what the miner would pay. */
function chooseRate(config: SweepConfig, { estimate, minimum }: FeeMarket): bigint {
  if (config.feeRate !== undefined) return toFeeRate(config.feeRate);
  const { staticRate, maxRate } = feesOf(config);
  const rate = staticRate ?? (estimate !== undefined && estimate > minimum ? estimate : minimum);
  if (maxRate === undefined || rate <= maxRate) return rate;
  throw fail('popmd/fee-too-high', `Bitcoin asks for ${Number(rate) / 1000} sats/vB, more than --max-fee: choose with --fee-rate`);
}

function describeNothing({ address }: PopWallet, { coins, spendable }: { coins: number; spendable: number }): string {
  if (coins === 0) return `there is no bitcoin at ${address}`;
  if (spendable === 0) return `the bitcoin at ${address} must wait for blocks before it can be spent`;
  return `the bitcoin at ${address} is worth less than the fee to send it`;
}

function describeSweep({ coins, valueSats, feeSats, vsize }: Sweep, about: { config: SweepConfig; wallet: PopWallet; left: number }): string {
  const { config, wallet, left } = about;
  const rate = (Number(feeSats) / vsize).toFixed(1);
  return `from  ${wallet.address}  (${coins.length} coins${left === 0 ? '' : `; ${left} stay behind: not spendable, or not worth their fee`})
to    ${config.to}  on ${config.bitcoinNetwork}
gets  ${valueSats} sats
fee   ${feeSats} sats  (${rate} sats/vB)
`;
}
