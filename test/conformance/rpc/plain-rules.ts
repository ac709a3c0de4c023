import type { Common } from '@ethereumjs/common';
import { createVM } from '@ethereumjs/vm';
import { fromHex } from '@hemid/protocol';
import type { RuleReader } from '@hemid/rpc';
import { blobBaseFee } from '../ethereum/blob-gas.ts';
import { BEACON_ROOTS_4788, CONSOLIDATION_REQUESTS_7251, HISTORY_2935, WITHDRAWAL_REQUESTS_7002 } from '../ethereum/system-call.ts';
import type { PlainChain } from './plain-chain.ts';

const TIMES = ['shanghai', 'cancun', 'prague', 'osaka', 'bpo1', 'bpo2'];

/** Where forks came, for the fork id: several at one place are one, those of the genesis none (EIP-2124). */
function placesOf(values: readonly unknown[]): bigint[] {
  const numbers = values.filter((value): value is number => typeof value === 'number' && value > 0);
  return [...new Set(numbers)].sort((a, b) => a - b).map(BigInt);
}

/** The rules of the suite's chain, for `eth_config`. */
export async function createPlainRules(chain: PlainChain): Promise<RuleReader> {
  const { config } = chain.genesis;
  const blocks = placesOf(Object.entries(config).flatMap(([name, value]) => (name.endsWith('Block') ? [value] : [])));
  const times = placesOf(TIMES.map((name) => config[`${name}Time`]));
  const names = new Map(TIMES.map((name) => [String(config[`${name}Time`]), name]));
  const rules = new Map<bigint, { common: Common; precompiles: Uint8Array[] }>();
  for (const time of times) {
    const common = await chain.rulesAt({ number: BigInt(chain.blocks.length), timestamp: time });
    const { precompiles } = (await createVM({ common })).evm;
    rules.set(time, { common, precompiles: [...precompiles.keys()].map((digits) => fromHex(digits)) });
  }
  return {
    forks: { blocks, times },
    at: (timestamp) => ({
      blobs: config.blobSchedule[
        names.get(
          times
            .filter((time) => time <= timestamp)
            .at(-1)
            ?.toString() ?? '',
        ) ?? ''
      ] ?? {
        target: 1,
        max: 1,
        baseFeeUpdateFraction: 1,
      },
      precompiles: rules.get(timestamp)?.precompiles ?? [],
      systemContracts: {
        BEACON_ROOTS_ADDRESS: BEACON_ROOTS_4788,
        CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS: CONSOLIDATION_REQUESTS_7251,
        DEPOSIT_CONTRACT_ADDRESS: fromHex(String(config['depositContractAddress'])),
        HISTORY_STORAGE_ADDRESS: HISTORY_2935,
        WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS: WITHDRAWAL_REQUESTS_7002,
      },
    }),
    blobBaseFee({ number, timestamp, excessBlobGas }) {
      const place = chain.blocks[Number(number)];
      return excessBlobGas === undefined || place === undefined || timestamp < (times[1] ?? 0n) ? 0n : blobBaseFee(excessBlobGas, place.rules);
    },
  };
}
