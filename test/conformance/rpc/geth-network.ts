import { paramsBlock } from '@ethereumjs/block';
import { type Common, createCommonFromGethGenesis } from '@ethereumjs/common';
import { paramsTx } from '@ethereumjs/tx';
import { paramsVM } from '@ethereumjs/vm';
import { fastCrypto, installFastInterpreter } from '@hemid/hvm';
import { GAS_PER_BLOB } from '../ethereum/blob-gas.ts';
import type { Network } from '../ethereum/network.ts';

/** The genesis file of a chain, as geth reads it. */
export interface GethGenesis {
  config: { chainId: number; blobSchedule: Record<string, Blobs> } & Record<string, unknown>;
  alloc: Record<string, { balance?: string; nonce?: string; code?: string; storage?: Record<string, string> }>;
  coinbase: string;
  difficulty: string;
  extraData: string;
  gasLimit: string;
  mixHash: string;
  timestamp: string;
}

interface Blobs {
  target: number;
  max: number;
  baseFeeUpdateFraction: number;
}

const scheduleOf = ({ target, max, baseFeeUpdateFraction }: Blobs) => ({
  targetBlobGasPerBlock: BigInt(target) * GAS_PER_BLOB,
  maxBlobGasPerBlock: BigInt(max) * GAS_PER_BLOB,
  blobGasPriceUpdateFraction: BigInt(baseFeeUpdateFraction),
});

/** The rules of a chain with a genesis file: forks come by block number and by time. */
export function gethNetwork(genesis: GethGenesis): Network {
  const known = new Map<string, Promise<Common>>();
  const all = createCommonFromGethGenesis(genesis as never, { chain: 'rpc-compat', customCrypto: fastCrypto });

  async function open(hardfork: string): Promise<Common> {
    const rules = all.copy();
    rules.setHardfork(hardfork);
    for (const params of [paramsTx, paramsBlock, paramsVM]) rules.updateParams(params);
    const blobs = genesis.config.blobSchedule[hardfork];
    // @ethereumjs/common reads the schedule of forks that change nothing else under names that it does not give them.
    if (blobs !== undefined) rules.getBlobGasSchedule = () => scheduleOf(blobs);
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
