import { createSeededRandom, type SeededRandom } from '@hemid/runtime';
import { fail } from '../errors.ts';
import { toFeeRate } from '../fee.ts';

/** A Bitcoin block as the simulation sees it. */
export interface YearBlock {
  height: number;
  /** Seconds. */
  time: number;
  /** The lowest fee rate that got into it, sats per 1000 vbytes. */
  rate: bigint;
}

const YEAR_SECONDS = 365 * 86_400;
const MEAN_INTERVAL = 600;
/** The fee market: the logarithm of sats/vB returns to that of USUAL, and storms come now and then. */
const USUAL = Math.log(4);
const RETURN = 0.01;
const NOISE = 0.12;
const STORMS_PER_YEAR = 12;
const STORM_RETURN = 0.005;

/** A number from the normal distribution (Box and Muller). */
const normal = (random: SeededRandom): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/** A year of Bitcoin from a seed: exponential intervals; fees that revert to 4 sats/vB, with about twelve storms that fade within days. */
export function syntheticYear(seed: number): YearBlock[] {
  const random = createSeededRandom(seed);
  const blocks: YearBlock[] = [];
  let [time, usual, storm] = [0, USUAL, 0];
  while (time < YEAR_SECONDS) {
    time += -Math.log(1 - random.next()) * MEAN_INTERVAL;
    usual += RETURN * (USUAL - usual) + NOISE * normal(random);
    storm *= 1 - STORM_RETURN;
    if (random.next() < (STORMS_PER_YEAR * MEAN_INTERVAL) / YEAR_SECONDS) storm += 2 + 2 * random.next();
    blocks.push({ height: blocks.length + 1, time, rate: toFeeRate(Math.max(1, Math.exp(usual + storm))) });
  }
  return blocks;
}

/**
 * Reads blocks from CSV: lines `height,timestamp,feerate` (seconds, sats/vB), ascending without gaps; a first line of
 * names is skipped.
 *
 * @throws `pop-miner/simulation` naming the line.
 */
export function readYear(text: string): YearBlock[] {
  const blocks: YearBlock[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '' || (i === 0 && /[a-z]/i.test(line))) continue;
    const [height = Number.NaN, time = Number.NaN, rate = Number.NaN, ...more] = line.split(',').map(Number);
    const isNumbers = Number.isInteger(height) && Number.isFinite(time) && rate >= 0 && Number.isFinite(rate) && more.length === 0;
    if (!isNumbers) throw fail('pop-miner/simulation', `line ${i + 1} is not "height,timestamp,feerate": ${line}`);
    const last = blocks[blocks.length - 1];
    if (last !== undefined && (height !== last.height + 1 || time < last.time)) {
      throw fail('pop-miner/simulation', `line ${i + 1}: block ${height} at ${time} does not follow block ${last.height} at ${last.time}`);
    }
    blocks.push({ height, time, rate: toFeeRate(rate) });
  }
  if (blocks.length < 2) throw fail('pop-miner/simulation', 'there are fewer than two blocks');
  return blocks;
}
