import { toDisplay, toHex } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import type { Outlook } from './outlook.ts';
import { type Candidate, MAX_KEYSTONES, type Standing, standingOf, toCandidate } from './policy.ts';
import type { KeystoneSource } from './ports.ts';

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
  let references = new Map<string, Uint8Array>();
  let mentioned = new Set<string>();

  return {
    async read(signal) {
      const candidates: Candidate[] = [];
      for (const keystone of await keystones.latest(MAX_KEYSTONES, signal)) {
        // What a block names never changes: it is asked for once.
        const reference = references.get(toHex(keystone.blockHash)) ?? (await keystones.bitcoinReference(keystone.blockHash, signal));
        candidates.push(toCandidate(keystone, reference));
      }
      references = new Map(candidates.map(({ keystone, reference }) => [toHex(keystone.blockHash), reference]));
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
        const { id, keystone, reference } = candidate;
        if (!mentioned.has(name)) log.info({ keystone: keystone.l2BlockNumber, id, named: toDisplay(reference) }, reason);
      }
      mentioned = passed;
    },
  };
}
