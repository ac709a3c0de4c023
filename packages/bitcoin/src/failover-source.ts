import { equal, type HemidError, isHemidError } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import { fail } from './errors.ts';
import type { BitcoinSource } from './source.ts';

/** One of several sources, with a name for logs (no credentials in it). */
export interface NamedSource {
  name: string;
  source: BitcoinSource;
}

export interface FailoverOptions {
  /** A source whose tip has not changed for so long is left when another one is higher. */
  stallMs: number;
  /** A source that was left is tried again after so long; the first that works is preferred. */
  retryMs: number;
}

interface Member extends NamedSource {
  /** When it was left, and why; `undefined` while nothing is wrong with it. */
  left: { atMs: number; reason: HemidError } | undefined;
}

/** What is wrong with one source and may be right with another: these are moved away from, anything else is thrown. */
const MOVABLE: ReadonlySet<string> = new Set([
  'bitcoin/unreachable',
  'bitcoin/warming-up',
  'bitcoin/busy',
  'bitcoin/credentials',
  'bitcoin/pruned',
  'bitcoin/wrong-network',
  'bitcoin/behind',
  'bitcoin/lie',
  'bitcoin/stall',
  'bitcoin/rpc',
]);

/**
 * Several sources as one. It uses the first that works: on an error it goes on with the next, and after `retryMs` it
 * tries the ones before again, which must then be as high. When none works it throws the error of the first, unless
 * one that may pass (`retry`) is among them.
 */
export function createFailoverSource(
  sources: readonly NamedSource[],
  { clock, log }: { clock: Clock; log: Logger },
  { stallMs, retryMs }: FailoverOptions,
): BitcoinSource {
  const members: Member[] = sources.map((one) => ({ ...one, left: undefined }));
  const counts: Record<string, number> = { failovers: 0, returns: 0 };
  let active = members[0];
  if (active === undefined) throw fail('bitcoin/unreachable', 'no Bitcoin node is configured');
  let tip: { hash: Uint8Array; sinceMs: number; lookedMs: number } | undefined;

  const eventOf = (error: HemidError): string => error.code.replace('bitcoin/', '');

  function leave(member: Member, reason: HemidError): void {
    counts[eventOf(reason)] = (counts[eventOf(reason)] ?? 0) + 1;
    member.left = { atMs: clock.now(), reason };
  }

  function use(member: Member): void {
    if (member === active) return;
    const from = active as Member;
    active = member;
    tip = undefined;
    const isReturn = members.indexOf(member) < members.indexOf(from);
    counts[isReturn ? 'returns' : 'failovers'] = (counts[isReturn ? 'returns' : 'failovers'] ?? 0) + 1;
    if (isReturn) log.info({ source: member.name, from: from.name }, 'bitcoin source is used again');
    else log.warn({ source: from.name, to: member.name, code: from.left?.reason.code }, `bitcoin source left: ${from.left?.reason.message}`);
  }

  /** The active one first, then those nothing is known against, then the others in the order in which they were left. */
  function candidates(): Member[] {
    const others = members.filter((member) => member !== active);
    const left = others.filter((member) => member.left !== undefined).sort((a, b) => (a.left?.atMs ?? 0) - (b.left?.atMs ?? 0));
    return [active as Member, ...others.filter((member) => member.left === undefined), ...left];
  }

  async function attempt<T>(ask: (source: BitcoinSource) => Promise<T>, isEnough: (answer: T) => boolean = () => true): Promise<T> {
    const errors: HemidError[] = [];
    const first = active;
    let answer: { value: T } | undefined;
    for (const member of candidates()) {
      try {
        const value = await ask(member.source);
        if (isEnough(value)) {
          // Of calls that run at once, the first to move decides.
          if (answer === undefined && active === first) use(member);
          return value;
        }
        answer ??= { value };
      } catch (error) {
        if (!isHemidError(error) || !MOVABLE.has(error.code)) throw error;
        leave(member, error);
        errors.push(error);
      }
    }
    if (answer !== undefined) return answer.value;
    throw errors.find(({ severity }) => severity === 'retry') ?? (errors[0] as HemidError);
  }

  /** Tries the preferred ones that were left long enough ago; one that is as high is used again. */
  async function comeBack(height: number, signal?: AbortSignal): Promise<{ hash: Uint8Array; height: number } | undefined> {
    const now = clock.now();
    for (const member of members.slice(0, members.indexOf(active as Member))) {
      if (member.left !== undefined && now - member.left.atMs < retryMs) continue;
      try {
        const best = await member.source.best(signal);
        if (best.height >= height) {
          member.left = undefined;
          use(member);
          return best;
        }
        member.left = { atMs: now, reason: fail('bitcoin/behind', `${member.name} is at height ${best.height}, others at ${height}`) };
      } catch (error) {
        if (!isHemidError(error) || !MOVABLE.has(error.code)) throw error;
        member.left = { atMs: now, reason: error };
      }
    }
    return undefined;
  }

  /** Whether the active source stands still while another one is higher; that one's tip then. */
  async function outrun(best: { hash: Uint8Array; height: number }, signal?: AbortSignal): Promise<{ hash: Uint8Array; height: number } | undefined> {
    const now = clock.now();
    if (tip === undefined || !equal(tip.hash, best.hash)) tip = { hash: best.hash, sinceMs: now, lookedMs: now };
    if (now - tip.sinceMs < stallMs || now - tip.lookedMs < stallMs / 4) return undefined;
    tip.lookedMs = now;
    for (const member of members.filter((one) => one !== active)) {
      const other = await member.source.best(signal).catch(() => undefined);
      if (other === undefined || other.height <= best.height) continue;
      const seconds = Math.round((now - tip.sinceMs) / 1000);
      const stalled = active as Member;
      leave(stalled, fail('bitcoin/stall', `no new block for ${seconds} s at height ${best.height}, and ${member.name} is at ${other.height}`));
      use(member);
      return other;
    }
    return undefined;
  }

  return {
    // Every one of them is asked: one on another network is a mistake in the configuration, not a fault that passes.
    async checkNetwork(network, signal) {
      const checks = await Promise.allSettled(members.map((member) => member.source.checkNetwork(network, signal)));
      const errors = checks.flatMap((check) => (check.status === 'rejected' ? [check.reason as unknown] : []));
      const fatal = errors.find((error) => !isHemidError(error) || error.severity !== 'retry');
      if (fatal !== undefined) throw fatal;
      if (errors.length === members.length) throw errors[0];
    },
    async best(signal) {
      const best = await attempt((source) => source.best(signal));
      return (await comeBack(best.height, signal)) ?? (await outrun(best, signal)) ?? best;
    },
    hashAt: (height, signal) => attempt((source) => source.hashAt(height, signal)),
    // A block that one has not got another may have; asking it does not make it the active one.
    block: (hash, signal) =>
      attempt(
        (source) => source.block(hash, signal),
        (raw) => raw !== undefined,
      ),
    knows: (hash, signal) =>
      attempt(
        (source) => source.knows(hash, signal),
        (known) => known,
      ),
    distrust(reason) {
      leave(active as Member, reason);
      use(candidates()[1] ?? (active as Member));
    },
    counters: () => ({ ...counts }),
  };
}
