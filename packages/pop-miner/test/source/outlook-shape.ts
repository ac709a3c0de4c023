import type { Coin, Outlook } from '@hemid/pop-miner';
import { toDisplay } from '@hemid/protocol';

const coin = ({ txid, vout, valueSats, isCoinbase, height, unconfirmed }: Coin): string =>
  `${toDisplay(txid)}:${vout} ${valueSats} sats, ${isCoinbase ? 'coinbase ' : ''}at ${height}, ${unconfirmed} unconfirmed`;

/** An outlook that can be compared with that of another source: sorted, hashes as text. */
export function toShape(outlook: Outlook): unknown {
  return {
    tipHeight: outlook.tipHeight,
    heights: [...outlook.heights].sort((a, b) => a[1] - b[1]),
    confirmed: outlook.confirmed.map(({ keystoneId, txid, height }) => `${keystoneId} in ${toDisplay(txid)} at ${height}`).sort(),
    pending: outlook.pending
      .map(({ txid, sightings, spends, isOwn, feeSats, vsize, sinceHeight }) => ({
        txid: toDisplay(txid),
        publishes: sightings.map(({ keystoneId }) => keystoneId),
        spends: spends.map(coin),
        isOwn,
        feeSats,
        vsize,
        sinceHeight,
      }))
      .sort((a, b) => a.txid.localeCompare(b.txid)),
    coins: outlook.coins.map(coin).sort(),
    spendings: outlook.spendings.map(({ txid, height, feeSats, vsize }) => `${toDisplay(txid)} at ${height}: ${feeSats} sats for ${vsize}`).sort(),
  };
}
