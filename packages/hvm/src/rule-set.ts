import { paramsBlock } from '@ethereumjs/block';
import { type Common, ConsensusAlgorithm, ConsensusType, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { paramsEVM } from '@ethereumjs/evm';
import { paramsTx } from '@ethereumjs/tx';
import { paramsVM } from '@ethereumjs/vm';
import type { ChainSpec } from '@hemid/protocol';
import { fastCrypto } from './crypto.ts';

/** Forks that are active from the genesis on, in order. */
const FORKS = [
  Hardfork.Chainstart,
  Hardfork.Homestead,
  Hardfork.TangerineWhistle,
  Hardfork.SpuriousDragon,
  Hardfork.Byzantium,
  Hardfork.Constantinople,
  Hardfork.Petersburg,
  Hardfork.Istanbul,
  Hardfork.Berlin,
  Hardfork.London,
  Hardfork.Paris,
  Hardfork.Shanghai,
  Hardfork.Cancun,
  Hardfork.Prague,
  Hardfork.Osaka,
];

/** The rule set of a chain for @ethereumjs: its chain id, every fork through Osaka from block 0. */
export function createCommon(spec: ChainSpec): Common {
  const common = createCustomCommon(
    {
      name: spec.genesis.name,
      chainId: spec.genesis.chainId,
      hardforks: FORKS.map((name) => ({ name, block: 0 })),
      consensus: { type: ConsensusType.ProofOfStake, algorithm: ConsensusAlgorithm.Casper, casper: {} },
    },
    Mainnet,
    { hardfork: Hardfork.Osaka, customCrypto: fastCrypto },
  );
  for (const params of [paramsEVM, paramsVM, paramsBlock, paramsTx]) common.updateParams(params);
  // Each new transaction and header would merge its parameters in again, which costs several times its decoding.
  common.updateParams = () => undefined;
  return common;
}
