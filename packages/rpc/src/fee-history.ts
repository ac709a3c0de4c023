import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { nextBaseFee } from '@hemid/hvm';
import { ATTRIBUTES_TYPE } from '@hemid/protocol';
import type { RuleReader } from './ports.ts';

/** A user transaction's tip, wei per gas, and its gas. */
interface PaidTip {
  tip: bigint;
  gasUsed: bigint;
}

/** Blocks that a suggestion is taken from. */
const SAMPLED_BLOCKS = 20n;
const SAMPLED_PERCENT = 60;
/** Suggested when nobody pays more, wei per gas: empty blocks ask for nothing. */
const LEAST_TIP = 1_000_000n;
const BLOCKS_PER_TURN = 32n;
const GAS_PER_BLOB = 131_072;

/** What the users of a block paid above the base fee, lowest first; system transactions pay nothing and do not count. */
function tipsOf(chain: ChainReader, { header, hash }: PlacedL2Header): PaidTip[] {
  if (header.gasUsed === 0n) return [];
  return (chain.receipts(hash) ?? [])
    .filter(({ type }) => type < ATTRIBUTES_TYPE)
    .map(({ effectiveGasPrice, gasUsed }) => ({ tip: effectiveGasPrice - (header.baseFeePerGas ?? 0n), gasUsed }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0));
}

/** A tip that gets a transaction in soon, wei per gas: the 60th percentile of what the last 20 blocks were paid. */
export function suggestTip(chain: ChainReader): bigint {
  const head = chain.head('latest').header.number;
  const tips: bigint[] = [];
  for (let number = head; number > 0n && number > head - SAMPLED_BLOCKS; number -= 1n) {
    const block = chain.headerAt(number);
    if (block !== undefined) tips.push(...tipsOf(chain, block).map(({ tip }) => tip));
  }
  tips.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const chosen = tips[Math.floor(((tips.length - 1) * SAMPLED_PERCENT) / 100)] ?? 0n;
  return chosen > LEAST_TIP ? chosen : LEAST_TIP;
}

/** The tips at percentiles of a block's user gas; zeros for a block without users. */
function rewardsOf(chain: ChainReader, block: PlacedL2Header, percentiles: readonly number[]): bigint[] {
  const tips = tipsOf(chain, block);
  const total = tips.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  return percentiles.map((percentile) => {
    const threshold = (total * BigInt(Math.round(percentile * 1000))) / 100_000n;
    let sum = 0n;
    for (const { tip, gasUsed } of tips) {
      sum += gasUsed;
      if (sum >= threshold) return tip;
    }
    return 0n;
  });
}

/** The blocks that are asked for: `count` of them up to `newest`. */
export interface FeeHistoryRange {
  newest: PlacedL2Header;
  count: bigint;
}

/** `eth_feeHistory`: base fees of a run of blocks and of the next one, and how full the blocks were. */
export async function readFeeHistory(
  { chain, rules }: { chain: ChainReader; rules: RuleReader },
  range: FeeHistoryRange,
  percentiles: readonly number[] | undefined,
): Promise<object> {
  const { newest, count } = range;
  const available = newest.header.number + 1n;
  const length = count < available ? count : available;
  const oldest = available - length;
  const blocks: PlacedL2Header[] = [];
  const reward: bigint[][] = [];
  for (let number = oldest; number < available; number += 1n) {
    if ((number - oldest) % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1n) await nextTurn();
    const block = chain.ancestorOf(newest, number);
    blocks.push(block);
    if (percentiles !== undefined) reward.push(rewardsOf(chain, block, percentiles));
  }
  return {
    oldestBlock: oldest,
    baseFeePerGas: [...blocks.map(({ header }) => header.baseFeePerGas ?? 0n), nextBaseFee(chain.spec, newest.header)],
    gasUsedRatio: blocks.map(({ header }) => Number(header.gasUsed) / Number(header.gasLimit)),
    baseFeePerBlobGas: [...blocks, newest].map(({ header }) => rules.blobBaseFee(header)),
    blobGasUsedRatio: blocks.map(({ header }) => Number(header.blobGasUsed ?? 0n) / (rules.at(header.timestamp).blobs.max * GAS_PER_BLOB)),
    reward: percentiles === undefined ? undefined : reward,
  };
}
