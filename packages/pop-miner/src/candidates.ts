import { toDisplay, toHex } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import type { Outlook } from './outlook.ts';
import { type Candidate, MAX_KEYSTONES, type Standing, standingOf, toCandidate } from './policy.ts';
import type { KeystoneOrigin, KeystoneSource } from './ports.ts';

/** The newest keystones of the L2 chain, as the policy wants them. */
export interface CandidateReader {
  read(signal?: AbortSignal): Promise<Candidate[]>;
  /** Logs, once each, those that are passed over and why. */
  mention(candidates: readonly Candidate[], outlook: Outlook): void;
}

const REASONS: Partial<Record<Standing, string>> = {
  unanchored: 'keystone waits: the bitcoin block that it names is not on the best chain here, or far below its tip',
  stale: 'keystone passed over: the bitcoin block that it names is too far below the tip',
};

/** Binds a reader to a source of keystones. */
export function createCandidateReader(keystones: KeystoneSource, log: Logger): CandidateReader {
  let origins = new Map<string, KeystoneOrigin>();
  let mentioned = new Set<string>();

  return {
    async read(signal) {
      const candidates: Candidate[] = [];
      for (const keystone of await keystones.latest(MAX_KEYSTONES, signal)) {
        // What a block says never changes: it is asked for once.
        const origin = origins.get(toHex(keystone.blockHash)) ?? (await keystones.origin(keystone.blockHash, signal));
        candidates.push(toCandidate(keystone, origin));
      }
      origins = new Map(candidates.map(({ keystone, origin }) => [toHex(keystone.blockHash), origin]));
      return candidates;
    },

    mention(candidates, outlook) {
      const passed = new Set<string>();
      for (const candidate of candidates) {
        const standing = standingOf(candidate, outlook);
        const reason = REASONS[standing];
        if (reason === undefined) continue;
        const name = `${candidate.id} ${standing}`;
        passed.add(name);
        const { id, keystone, origin } = candidate;
        if (!mentioned.has(name)) log.info({ keystone: keystone.l2BlockNumber, id, named: toDisplay(origin.bitcoinTip) }, reason);
      }
      mentioned = passed;
    },
  };
}
