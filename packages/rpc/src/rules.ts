import { HISTORY_ADDRESS, toBigEndian } from '@hemid/protocol';
import type { RuleReader } from './ports.ts';
import { BITCOIN_PRECOMPILES } from './precompile-name.ts';

/** Blobs per block at Osaka (EIP-7691); blocks of this chain carry none, but contracts may ask. */
const OSAKA_BLOBS = { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 };
const ETHEREUM_PRECOMPILES = [...Array.from({ length: 17 }, (_, i) => BigInt(i + 1)), 256n];

/** The {@link RuleReader} of this chain: Osaka from the genesis on. */
export function createRules(): RuleReader {
  const precompiles = [...ETHEREUM_PRECOMPILES, ...BITCOIN_PRECOMPILES.map(({ address }) => BigInt(address))];
  const rules = {
    blobs: OSAKA_BLOBS,
    precompiles: precompiles.map((address) => toBigEndian(address, 20)),
    systemContracts: { HISTORY_STORAGE_ADDRESS: HISTORY_ADDRESS },
  };
  return { forks: { blocks: [], times: [] }, at: () => rules, blobBaseFee: () => 1n };
}
