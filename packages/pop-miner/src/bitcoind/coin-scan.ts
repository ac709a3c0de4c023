import { type BitcoinRpc, satsFromBtc } from '@hemid/bitcoin';
import { fromDisplay, isHemidError, toDigits } from '@hemid/protocol';
import { type CoinSet, outpointKey } from '../coin.ts';
import { fail } from '../errors.ts';

/** All outputs of a script that are unspent at one block. */
export interface CoinScan {
  tip: { hash: Uint8Array; height: number };
  coins: CoinSet;
}

interface Scanned {
  success: boolean;
  height: number;
  bestblock: string;
  unspents: { txid: string; vout: number; amount: number; coinbase?: boolean; height: number }[];
}

/** "Scan already in progress". */
const RPC_PARAMETER = -8;

/**
 * Reads the unspent outputs of a script from the Bitcoin node's own set: minutes on mainnet, and one scan at a time.
 *
 * @throws `pop-miner/scan-busy` (retry)
 */
export async function scanCoins(rpc: BitcoinRpc, script: Uint8Array, signal?: AbortSignal): Promise<CoinScan> {
  const scanned = await start(rpc, script, signal);
  if (!scanned.success) throw fail('pop-miner/scan-busy', "the scan of the Bitcoin node's unspent outputs was broken off");
  const coins: CoinSet = new Map();
  for (const { txid, vout, amount, coinbase, height } of scanned.unspents) {
    const coin = { txid: fromDisplay(txid), vout, valueSats: satsFromBtc(amount), height, unconfirmed: 0 };
    // Old nodes do not say: then the safe answer is to wait as for a coinbase.
    coins.set(outpointKey(coin.txid, vout), { ...coin, isCoinbase: coinbase ?? true });
  }
  return { tip: { hash: fromDisplay(scanned.bestblock), height: scanned.height }, coins };
}

async function start(rpc: BitcoinRpc, script: Uint8Array, signal?: AbortSignal): Promise<Scanned> {
  try {
    return (await rpc('scantxoutset', ['start', [`raw(${toDigits(script)})`]], signal)) as Scanned;
  } catch (cause) {
    if (!isHemidError(cause, 'bitcoin/rpc') || cause.details['rpcCode'] !== RPC_PARAMETER) throw cause;
    throw fail('pop-miner/scan-busy', 'the Bitcoin node is scanning its unspent outputs already: waiting for it to end', { cause });
  }
}
