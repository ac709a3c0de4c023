import { toHex } from '@hemid/protocol';
import { byNewest, type Candidate, MAX_KEYSTONES, toCandidate } from './policy.ts';
import type { KeystoneOrigin, KeystoneSource } from './ports.ts';

/** Reads the newest keystones of the L2 chain, newest first, as the policy wants them. */
export type CandidateReader = (signal?: AbortSignal) => Promise<Candidate[]>;

/** Binds a reader to a source of keystones. */
export function createCandidateReader(keystones: KeystoneSource): CandidateReader {
  let origins = new Map<string, KeystoneOrigin>();
  return async (signal) => {
    const candidates: Candidate[] = [];
    for (const keystone of await keystones.latest(MAX_KEYSTONES, signal)) {
      // What a block says never changes: it is asked for once.
      const origin = origins.get(toHex(keystone.blockHash)) ?? (await keystones.origin(keystone.blockHash, signal));
      candidates.push(toCandidate(keystone, origin));
    }
    origins = new Map(candidates.map(({ keystone, origin }) => [toHex(keystone.blockHash), origin]));
    return candidates.sort(byNewest);
  };
}
