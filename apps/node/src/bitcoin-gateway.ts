import { type BitcoinRpc, broadcast, satsFromBtc } from '@hemid/bitcoin';
import { toDisplay } from '@hemid/protocol';
import type { BitcoinGateway } from '@hemid/rpc';

/** Satoshis per virtual byte that every node has relayed so far; some relay less now, but not all of them. */
const LEAST_RATE = 1;

/** BTC per 1000 virtual bytes, as Bitcoin nodes say it, in satoshis per virtual byte. */
const toRate = (btcPerKvb: number): number => Number(satsFromBtc(btcPerKvb)) / 1000;

/** The Bitcoin network by the RPC of a Bitcoin node. */
export function createBitcoinGateway(rpc: BitcoinRpc): BitcoinGateway {
  return {
    broadcast: (raw) => broadcast(rpc, raw),
    async feeRate(blocks) {
      const { feerate } = (await rpc('estimatesmartfee', [blocks])) as { feerate?: number };
      if (feerate !== undefined) return Math.max(LEAST_RATE, toRate(feerate));
      // A node that has seen too little to estimate, as on regtest, has no full blocks either.
      const { relayfee } = (await rpc('getnetworkinfo', [])) as { relayfee: number };
      return Math.max(LEAST_RATE, toRate(relayfee));
    },
    async isFree({ txid, vout }) {
      return (await rpc('gettxout', [toDisplay(txid), vout, true])) !== null;
    },
  };
}
