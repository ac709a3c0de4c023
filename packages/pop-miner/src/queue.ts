import { isHemidError, toDisplay } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { rateOf } from './fee.ts';
import type { Outlook } from './outlook.ts';
import type { AgeLimit, Candidate, Standing } from './policy.ts';
import { standingOf } from './policy.ts';
import type { Sighting } from './sighting.ts';

/**
 * Why a keystone is not published, or its publication not helped along:
 *
 * - `unanchored`, `stale`, `old`: as in {@link Standing};
 * - `no-funds`, `fee-too-high`, `budget`, `held`, `refused`: the errors of those names;
 * - `superseded`: it was due until newer keystones took its place in the queue; they cover it;
 * - `orphaned`: it is not on the L2 chain any more;
 * - `lost`: its publication vanished after newer keystones had taken its place; they cover it.
 */
export type Reason =
  | 'unanchored'
  | 'stale'
  | 'old'
  | 'no-funds'
  | 'fee-too-high'
  | 'budget'
  | 'held'
  | 'refused'
  | 'superseded'
  | 'orphaned'
  | 'lost';

/** A keystone in the miner's queue. */
export interface QueueEntry {
  keystone: number;
  /** Abbreviated hash, display order. */
  id: string;
  standing: Standing;
  /** Of the miner's publication in the mempool, display order. */
  txid?: string;
  /** Its fee rate, sats per 1000 vbytes. */
  feeRate?: bigint;
  reason?: Reason;
}

/** A keystone that left the queue without a publication. */
export interface AbandonedKeystone {
  keystone: number;
  /** Abbreviated hash, display order. */
  id: string;
  reason: Reason;
}

/** What people see of the keystones; the miner decides nothing on it. */
export interface Queue {
  /** Takes up the candidates of a round; logs, once each, those that are passed over and why. */
  update(candidates: readonly Candidate[], outlook: Outlook, limit: AgeLimit): void;
  /** Notes why nothing was done for a keystone in this round. */
  note(candidate: Candidate, error: unknown): void;
  /** Notes that a publication vanished; of a keystone in the queue the next round takes care. */
  lose(sighting: Pick<Sighting, 'keystoneId' | 'keystoneNumber'>): void;
  entries(): readonly QueueEntry[];
  /** Newest last, at most {@link MAX_ABANDONED}. */
  abandoned(): readonly AbandonedKeystone[];
}

/** Abandoned keystones that are remembered. */
const MAX_ABANDONED = 50;

const PASSED_OVER: Partial<Record<Standing, string>> = {
  unanchored: 'keystone waits: the bitcoin block that it names is not on the best chain here, or far below its tip',
  stale: 'keystone passed over: the bitcoin block that it names is too far below the tip',
  old: 'keystone passed over: it was made too long ago',
};

/** Starts with nothing. */
export function createQueue(log: Logger): Queue {
  let entries = new Map<string, QueueEntry>();
  let abandoned: AbandonedKeystone[] = [];

  function abandon({ keystone, id }: Pick<QueueEntry, 'keystone' | 'id'>, reason: Reason): void {
    log.info({ keystone, id, reason }, 'keystone given up');
    abandoned = [...abandoned.filter((other) => other.id !== id), { keystone, id, reason }].slice(-MAX_ABANDONED);
  }

  function mention(entry: QueueEntry, { origin }: Candidate): void {
    const text = PASSED_OVER[entry.standing];
    if (text === undefined || entries.get(entry.id)?.standing === entry.standing) return;
    log.info({ keystone: entry.keystone, id: entry.id, named: toDisplay(origin.bitcoinTip) }, text);
  }

  return {
    update(candidates, outlook, limit) {
      const now = new Map<string, QueueEntry>();
      for (const candidate of candidates) {
        const entry = toEntry(candidate, standingOf(candidate, outlook, limit), outlook);
        // Until the round says otherwise what held it back still does.
        const before = entries.get(entry.id);
        const isSame = entry.reason === undefined && before?.standing === entry.standing && before.reason !== undefined;
        mention(entry, candidate);
        now.set(entry.id, isSame ? { ...entry, reason: before.reason as Reason } : entry);
      }
      const lowest = Math.min(...candidates.map(({ keystone }) => keystone.l2BlockNumber));
      for (const gone of entries.values()) {
        if (now.has(gone.id) || gone.standing === 'published' || gone.standing === 'pending') continue;
        abandon(gone, gone.keystone >= lowest ? 'orphaned' : (gone.reason ?? 'superseded'));
      }
      entries = now;
    },
    note({ id }, error) {
      const entry = entries.get(id);
      if (entry !== undefined && isHemidError(error)) entry.reason = error.code.replace('pop-miner/', '') as Reason;
    },
    lose({ keystoneId: id, keystoneNumber: keystone }) {
      if (!entries.has(id)) abandon({ keystone, id }, 'lost');
    },
    entries: () => [...entries.values()],
    abandoned: () => abandoned,
  };
}

function toEntry({ keystone, id }: Candidate, standing: Standing, { pending }: Outlook): QueueEntry {
  const entry: QueueEntry = { keystone: keystone.l2BlockNumber, id, standing };
  if (standing === 'unanchored' || standing === 'stale' || standing === 'old') return { ...entry, reason: standing };
  const own = pending.find(({ sightings }) => sightings.some(({ keystoneId }) => keystoneId === id));
  if (own === undefined) return entry;
  const feeRate = own.feeSats === undefined ? {} : { feeRate: rateOf(own.feeSats, own.vsize) };
  return { ...entry, txid: toDisplay(own.txid), ...feeRate };
}
