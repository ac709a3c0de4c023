import { paramsBlock } from '@ethereumjs/block';
import { type Common, createCommonFromGethGenesis } from '@ethereumjs/common';
import { paramsTx } from '@ethereumjs/tx';
import { paramsVM } from '@ethereumjs/vm';
import { fastCrypto, installFastInterpreter } from '@hemid/hvm';
import type { Network } from '../ethereum/network.ts';

/** The genesis file of a chain, as geth reads it. */
export interface GethGenesis {
  config: { chainId: number; blobSchedule: Record<string, { target: number; max: number; baseFeeUpdateFraction: number }> } & Record<string, unknown>;
  alloc: Record<string, { balance?: string; nonce?: string; code?: string; storage?: Record<string, string> }>;
  coinbase: string;
  difficulty: string;
  extraData: string;
  gasLimit: string;
  mixHash: string;
  timestamp: string;
}

/** The rules of a chain with a genesis file: forks come by block number and by time. */
export function gethNetwork(genesis: GethGenesis): Network {
  const known = new Map<string, Promise<Common>>();
  const all = createCommonFromGethGenesis(genesis as never, { chain: 'rpc-compat', customCrypto: fastCrypto });

  async function open(hardfork: string): Promise<Common> {
    const rules = all.copy();
    rules.setHardfork(hardfork);
    for (const params of [paramsTx, paramsBlock, paramsVM]) rules.updateParams(params);
    await installFastInterpreter(rules);
    return rules;
  }

  return ({ number, timestamp }) => {
    const hardfork = all.getHardforkBy({ blockNumber: number, timestamp });
    const rules = known.get(hardfork) ?? open(hardfork);
    known.set(hardfork, rules);
    return rules;
  };
}
