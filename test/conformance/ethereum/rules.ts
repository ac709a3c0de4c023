import { paramsBlock } from '@ethereumjs/block';
import { type Common, ConsensusAlgorithm, ConsensusType, createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { paramsTx } from '@ethereumjs/tx';
import { fastCrypto, installFastInterpreter } from '@hemid/hvm';

/** Forks of the Ethereum tests that are run, oldest first, by the names the tests give them. */
export const FORKS: Record<string, Hardfork> = {
  Berlin: Hardfork.Berlin,
  London: Hardfork.London,
  Paris: Hardfork.Paris,
  Shanghai: Hardfork.Shanghai,
  Cancun: Hardfork.Cancun,
  Prague: Hardfork.Prague,
  Osaka: Hardfork.Osaka,
};

const BEFORE_BERLIN = [
  Hardfork.Chainstart,
  Hardfork.Homestead,
  Hardfork.TangerineWhistle,
  Hardfork.SpuriousDragon,
  Hardfork.Byzantium,
  Hardfork.Constantinople,
  Hardfork.Petersburg,
  Hardfork.Istanbul,
];

async function createRules(fork: string, chainId: bigint): Promise<Common> {
  const hardfork = FORKS[fork];
  if (hardfork === undefined) throw new Error(`fork ${fork} is not run`);
  const active = Object.values(FORKS).slice(0, Object.values(FORKS).indexOf(hardfork) + 1);
  const isMerged = active.includes(Hardfork.Paris);
  const consensus = isMerged
    ? { type: ConsensusType.ProofOfStake, algorithm: ConsensusAlgorithm.Casper, casper: {} }
    : { type: ConsensusType.ProofOfWork, algorithm: ConsensusAlgorithm.Ethash, ethash: {} };
  const common = createCustomCommon(
    { name: 'test', chainId: Number(chainId), hardforks: [...BEFORE_BERLIN, ...active].map((name) => ({ name, block: 0 })), consensus },
    Mainnet,
    { hardfork, customCrypto: fastCrypto },
  );
  common.updateParams(paramsTx);
  common.updateParams(paramsBlock);
  await installFastInterpreter(common);
  return common;
}

const known = new Map<string, Promise<Common>>();

/** Plain Ethereum at one fork, on the node's own crypto and interpreter. */
export function rulesOf(fork: string, chainId: bigint): Promise<Common> {
  const key = `${fork} ${chainId}`;
  const rules = known.get(key) ?? createRules(fork, chainId);
  known.set(key, rules);
  return rules;
}
