import type { VaultCoin } from './batch.ts';

/** What coins are chosen for. */
export interface CoinChoice {
  /** The change of the batch before; input 0 unless this is the first batch. */
  tip: VaultCoin | undefined;
  /** All others of the same vault, the most valuable first. */
  coins: readonly VaultCoin[];
  neededSats: bigint;
  /** What the batch pays for itself. */
  feeSats: bigint;
  /** Requests that it pays. */
  count: number;
  /** A coin below this is small, sats; `undefined`: the vault is given up, and all its coins are to leave it. */
  smallSats: bigint | undefined;
}

/** Version, counts, change, anchor and mark; vbytes. */
const BASE_VBYTES = 100;
/** A payment to the longest script. */
const OUTPUT_VBYTES = 43;
/** An input of a vault of three to five keys. */
const INPUT_VBYTES = 150;
/** What a batch must pay for each vbyte to be relayed, and some more, for vaults of more keys. */
const RELAY_RATE = 2n;
/** Coins that one batch spends at most beyond those that it needs. */
const MOST_SWEPT = 50;

/**
 * Chooses the inputs of a batch: what it needs, the most valuable first; then what its fee can carry. Small coins come along,
 * the smallest first, as long as that leaves the batch half of the fee rate that it has without them: so they are swept when
 * many are paid at once, and no coins but the fee that everybody has agreed to are spent on it. Of a vault that is given up all
 * coins come, the most valuable first, as long as the batch is relayed; that a batch pays too little is what its anchor is for.
 */
export function chooseCoins({ tip, coins, neededSats, feeSats, count, smallSats }: CoinChoice): VaultCoin[] {
  const chosen = tip === undefined ? [] : [tip];
  let has = tip?.valueSats ?? 0n;
  let used = 0;
  for (; used < coins.length && (chosen.length === 0 || has < neededSats); used += 1) {
    const coin = coins[used] as VaultCoin;
    chosen.push(coin);
    has += coin.valueSats;
  }
  const vbytes = (inputs: number): bigint => BigInt(BASE_VBYTES + count * OUTPUT_VBYTES + inputs * INPUT_VBYTES);
  const most = smallSats === undefined ? feeSats / RELAY_RATE : vbytes(chosen.length) * 2n;
  const left = coins.slice(used);
  const extra = smallSats === undefined ? left : left.filter(({ valueSats }) => valueSats < smallSats).reverse();
  for (const coin of extra.slice(0, MOST_SWEPT)) {
    const next = vbytes(chosen.length + 1);
    if (next > most || feeSats < next * RELAY_RATE) break;
    chosen.push(coin);
  }
  return chosen;
}
