import type { BitcoinNetwork } from '@hemid/protocol';
import { fail } from '../errors.ts';

/** Hash of block 0, display order. */
const GENESIS: Record<BitcoinNetwork, string> = {
  mainnet: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
  testnet4: '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043',
  signet: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6',
  regtest: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
};

/** @throws `pop-miner/bitcoin-network` unless `hash` (display order) is block 0 of `network`. */
export function checkGenesis(hash: string, network: BitcoinNetwork): void {
  if (hash === GENESIS[network]) return;
  const other = Object.entries(GENESIS).find(([, genesis]) => genesis === hash)?.[0] ?? 'an unknown network';
  throw fail('pop-miner/bitcoin-network', `the Bitcoin source is on ${other}, popmd is configured for ${network}`);
}
