import { fromDisplay, type Keystone } from '@hemid/protocol';
import { createSeededRandom } from '@hemid/runtime';
import { feeAt } from '../fee.ts';
import type { Outlook, PendingTransaction } from '../outlook.ts';
import { type Candidate, MAX_KEYSTONES, POLICY_DEFAULTS, standingOf } from '../policy.ts';
import { KEYSTONE_WINDOW, type Sighting } from '../sighting.ts';
import type { YearBlock } from './bitcoin-year.ts';
import { type FeePlan, rateOf } from './fee-plan.ts';
import { quantileOf, type Spread } from './quantile.ts';

/** What an operator chooses. */
export interface AnchoringChoice {
  /** L2 blocks from one keystone to the next. */
  keystonePeriod: number;
  /** Seconds. */
  blockTime: number;
  policy: FeePlan;
  miners: number;
  /** What one miner pays in a day at most, sats; `undefined`: no limit. */
  budgetSats: bigint | undefined;
  /** Confirmations that make a keystone final. */
  finalDepth: number;
  /** Of a publication, in vbytes. */
  vsize: number;
  seed: number;
}

/** What it comes to. */
export interface AnchoringOutcome {
  costSats: bigint;
  days: number;
  keystones: number;
  /** Keystones without a counting publication; the next one that has one covers their blocks. */
  lost: number;
  publications: number;
  /** Seconds from an L2 block to the label, over all L2 blocks that reached it. */
  safe: Spread;
  finalized: Spread;
}

/** A publication that waits for a block. */
interface Waiting {
  candidate: Candidate;
  rate: bigint;
  /** Height of the tip when it was sent. */
  since: number;
}

interface Miner {
  /** Seconds of its first look at the chain. */
  phase: number;
  waiting: Waiting[];
  spentToday: bigint;
  day: number;
}

const DAY = 86_400;
/** Seconds between two looks of a miner at the chain, as popmd has it. */
const POLL_SECONDS = 13;
/** The estimate: the highest rate that was needed in so many blocks. */
const ESTIMATE_BLOCKS = 6;
const NO_HASH = new Uint8Array(32);

/** The Bitcoin block at a height as a name in the miner's own terms. */
const nameOf = (height: number): string => height.toString(16).padStart(64, '0');

/** A publication as the policy sees it in the mempool. */
const pendingOf = ({ id, keystone }: Candidate): PendingTransaction => ({
  txid: NO_HASH,
  sightings: [{ keystoneId: id, keystoneNumber: keystone.l2BlockNumber, txid: NO_HASH, miner: NO_HASH, height: undefined }],
  popScript: undefined,
  spends: [],
  isOwn: true,
  feeSats: undefined,
  vsize: 0,
  sinceHeight: 0,
});

function candidateAt(number: number, { tipHeight, time }: { tipHeight: number; time: number }): Candidate {
  const keystone: Keystone = {
    version: 1,
    l1BlockNumber: tipHeight,
    l2BlockNumber: number,
    parentHash: NO_HASH,
    previousKeystoneHash: NO_HASH,
    stateRoot: NO_HASH,
    blockHash: NO_HASH,
  };
  return { keystone, id: String(number), origin: { bitcoinTip: fromDisplay(nameOf(tipHeight)), timeMs: time * 1000 } };
}

/**
 * Replays blocks of Bitcoin with keystones and miners. A publication is in the first block whose lowest rate is not above
 * its own; what a miner publishes, and at what rate, is decided by popmd's own functions.
 */
export function simulateAnchoring(year: readonly YearBlock[], choice: AnchoringChoice): AnchoringOutcome {
  const { policy, vsize } = choice;
  const start = (year[0] as YearBlock).time;
  const seconds = choice.keystonePeriod * choice.blockTime;
  const random = createSeededRandom(choice.seed);
  const miners: Miner[] = Array.from({ length: choice.miners }, () => ({ phase: random.next() * POLL_SECONDS, waiting: [], spentToday: 0n, day: 0 }));
  const newest: Candidate[] = [];
  const heights = new Map<string, number>();
  let confirmed: Sighting[] = [];
  /** Index of the first block with a counting publication, by keystone. */
  const published: (number | undefined)[] = [];
  let [costSats, publications] = [0n, 0];

  /** When a keystone is built. */
  const builtAt = (index: number): number => start + (index + 1) * seconds;

  function act(miner: Miner, { tip, until }: { tip: YearBlock; until: number }): void {
    const day = Math.floor((tip.time - start) / DAY);
    if (day !== miner.day) Object.assign(miner, { day, spentToday: 0n });
    const from = Math.max(0, tip.height - (year[0] as YearBlock).height + 1 - ESTIMATE_BLOCKS);
    const recent = year.slice(from, from + ESTIMATE_BLOCKS).filter(({ height }) => height <= tip.height);
    const rate = rateOf(
      policy,
      recent.reduce((max, block) => (block.rate > max ? block.rate : max), 0n),
    );
    if (rate === undefined) return;
    const isStuck = ({ since, rate: paid }: Waiting): boolean => tip.height - since >= POLICY_DEFAULTS.stuckBlocks && rate > paid;
    if (policy.replaces) for (const one of miner.waiting.filter(isStuck)) Object.assign(one, { rate, since: tip.height });
    // Only what was built before its last look.
    const seen = newest.filter(({ keystone }) => {
      const built = start + keystone.l2BlockNumber * choice.blockTime;
      return built + ((((miner.phase - (built - start)) % POLL_SECONDS) + POLL_SECONDS) % POLL_SECONDS) < until;
    });
    const pending = miner.waiting.map(({ candidate }) => pendingOf(candidate));
    const outlook: Outlook = { tipHeight: tip.height, heights, confirmed, pending, coins: [], spendings: [] };
    const limit = { nowMs: until * 1000, maxAgeMs: POLICY_DEFAULTS.maxAgeMs };
    const fee = feeAt(rate, vsize);
    for (;;) {
      const candidate = seen.findLast((one) => standingOf(one, outlook, limit) === 'due');
      const isAffordable = choice.budgetSats === undefined || miner.spentToday + fee <= choice.budgetSats;
      if (candidate === undefined || !isAffordable) return;
      miner.spentToday += fee;
      miner.waiting.push({ candidate, rate, since: tip.height });
      pending.push(pendingOf(candidate));
    }
  }

  function include(block: YearBlock, index: number): void {
    for (const miner of miners) {
      for (const { candidate, rate } of miner.waiting.filter((one) => one.rate >= block.rate)) {
        costSats += feeAt(rate, vsize);
        publications += 1;
        const named = candidate.keystone.l1BlockNumber;
        const keystone = candidate.keystone.l2BlockNumber / choice.keystonePeriod - 1;
        if (block.height - named <= KEYSTONE_WINDOW) published[keystone] ??= index;
        confirmed.push({
          keystoneId: candidate.id,
          keystoneNumber: candidate.keystone.l2BlockNumber,
          txid: NO_HASH,
          miner: NO_HASH,
          height: block.height,
        });
      }
      miner.waiting = miner.waiting.filter((one) => one.rate < block.rate);
    }
    confirmed = confirmed.filter(({ height }) => height !== undefined && block.height - height <= KEYSTONE_WINDOW);
  }

  let keystones = 0;
  for (const [index, block] of year.entries()) {
    if (index === 0) {
      heights.set(nameOf(block.height), block.height);
      continue;
    }
    const tip = year[index - 1] as YearBlock;
    for (const miner of miners) act(miner, { tip, until: Math.min(block.time, builtAt(keystones)) });
    while (builtAt(keystones) <= block.time) {
      newest.push(candidateAt((keystones + 1) * choice.keystonePeriod, { tipHeight: tip.height, time: builtAt(keystones) }));
      if (newest.length > MAX_KEYSTONES) newest.shift();
      keystones += 1;
      for (const miner of miners) act(miner, { tip, until: Math.min(block.time, builtAt(keystones)) });
    }
    include(block, index);
    heights.set(nameOf(block.height), block.height);
    heights.delete(nameOf(block.height - 2 * KEYSTONE_WINDOW));
  }

  const wait = (confirmations: number): Spread => quantileOf(waits({ year, choice, published, keystones, start }, confirmations));
  return {
    costSats,
    days: ((year[year.length - 1] as YearBlock).time - start) / DAY,
    keystones,
    lost: Array.from({ length: keystones }, (_, i) => published[i]).filter((index) => index === undefined).length,
    publications,
    safe: wait(1),
    finalized: wait(choice.finalDepth),
  };
}

/**
 * Seconds that each L2 block waited until a keystone above it had so many confirmations: N − 1 is labelled for the
 * highest such keystone N (protocol section 8), so a later one may come first.
 */
function waits(
  run: { year: readonly YearBlock[]; choice: AnchoringChoice; published: readonly (number | undefined)[]; keystones: number; start: number },
  confirmations: number,
): number[] {
  const { year, choice, start } = run;
  const found: number[] = [];
  let earliest = Number.POSITIVE_INFINITY;
  for (let keystone = run.keystones - 1; keystone >= 0; keystone -= 1) {
    const index = run.published[keystone];
    const label = index === undefined ? undefined : year[index + confirmations];
    if (label !== undefined) earliest = Math.min(earliest, label.time);
    if (earliest === Number.POSITIVE_INFINITY) continue;
    const first = keystone * choice.keystonePeriod;
    for (let number = first + choice.keystonePeriod - 1; number >= first && number > 0; number -= 1) {
      found.push(earliest - (start + number * choice.blockTime));
    }
  }
  return found;
}
