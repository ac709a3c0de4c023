import { type ChainSpec, slotAt } from '@hemid/protocol';
import type { Clock } from '@hemid/runtime';
import { fail } from '../errors.ts';

/** The time of a development chain, in seconds: the clock's, shifted as its developer wants it, and never behind the head. */
export interface ChainTime {
  /** Lets the time run on from `seconds`. */
  reset(seconds: bigint): void;
  /** The time of a chain that has just been opened. */
  restart(): void;
  /** Moves it forward; @returns by how much the clock is shifted in all. */
  increase(seconds: bigint): bigint;
  /** The next block has exactly this timestamp. @throws `development/time` unless it is that of a slot above the head. */
  setNext(timestamp: bigint): void;
  /** Every block is so many seconds above the one before, `undefined`: as time runs. @throws `development/time` unless these are whole slots. */
  setSpacing(seconds: bigint | undefined): void;
  /** The timestamp of the next block: the last slot that has begun, or the one above the head. */
  next(): bigint;
  /** That of the first slot above the head. */
  least(): bigint;
  /** A block has `timestamp`: time runs on from there. */
  taken(timestamp: bigint): void;
}

/** Creates the {@link ChainTime} of a chain, not behind its head. */
export function createChainTime({ clock, spec }: { clock: Clock; spec: ChainSpec }, head: () => bigint): ChainTime {
  const blockTime = BigInt(spec.genesis.blockTime);
  const genesis = BigInt(spec.genesis.time);
  let offset = 0n;
  let fixed: bigint | undefined;
  let spacing: bigint | undefined;

  const wall = (): bigint => BigInt(Math.floor(clock.now() / 1000));
  const begun = (seconds: bigint): bigint => seconds - ((seconds - genesis) % blockTime);

  const time: ChainTime = {
    reset(seconds) {
      offset = seconds - wall();
      fixed = undefined;
    },
    restart() {
      time.reset(head() > wall() ? head() : wall());
      spacing = undefined;
    },
    setSpacing(seconds) {
      if (seconds !== undefined && (seconds === 0n || seconds % blockTime > 0n)) {
        throw fail('development/time', `blocks cannot be ${seconds} s apart: slots are ${blockTime} s long, so ask for a multiple of that`);
      }
      spacing = seconds;
    },
    increase(seconds) {
      offset += seconds;
      return offset;
    },
    setNext(timestamp) {
      if (timestamp <= head()) {
        throw fail('development/time', `Timestamp ${timestamp} is lower than or equal to previous block's timestamp ${head()}`);
      }
      if (slotAt(spec, timestamp) === undefined) {
        throw fail('development/time', `no block can have the timestamp ${timestamp}: slots are ${genesis} and every ${blockTime} s after it`);
      }
      fixed = timestamp;
    },
    least: () => head() + blockTime,
    next() {
      const least = time.least();
      if (fixed !== undefined && fixed >= least) return fixed;
      if (spacing !== undefined) return head() + spacing;
      const now = begun(wall() + offset);
      return now > least ? now : least;
    },
    taken(timestamp) {
      if (timestamp === fixed || timestamp > wall() + offset) offset = timestamp - wall();
      if (fixed !== undefined && timestamp >= fixed) fixed = undefined;
    },
  };
  time.restart();
  return time;
}
