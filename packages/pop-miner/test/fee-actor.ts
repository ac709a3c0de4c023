import type { FeeMarket, MinerBitcoin } from '@hemid/pop-miner';

/** What a Bitcoin node would estimate: a regtest has too few blocks to say anything. The floor stays the node's own. */
export interface FeeActor {
  /** Sets the estimate, in sats per 1000 vbytes. */
  ask(estimate: bigint): void;
  wrap(bitcoin: MinerBitcoin): MinerBitcoin;
}

/** Starts with an estimate. */
export function createFeeActor(estimate: bigint): FeeActor {
  let asked = estimate;
  return {
    ask(rate) {
      asked = rate;
    },
    wrap: (bitcoin) => ({
      ...bitcoin,
      feeMarket: async (signal): Promise<FeeMarket> => ({ ...(await bitcoin.feeMarket(signal)), estimate: asked }),
    }),
  };
}
