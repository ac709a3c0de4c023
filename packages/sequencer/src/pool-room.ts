import { fail } from './errors.ts';
import { tipAt } from './fee-order.ts';
import { lowest, nextNonce, type Pooled, readLast } from './pool-account.ts';
import type { Book } from './pool-book.ts';

/** How much the pool holds. */
export interface PoolLimits {
  transactions: number;
  /** Of all raw transactions together. */
  bytes: number;
  /** Transactions of one sender. */
  perSender: number;
  /** Those of them behind a gap. */
  queuedPerSender: number;
  /** How long a transaction waits behind a gap, in milliseconds. */
  lifetimeMs: number;
}

/** The limits of a node that says nothing of them. */
export const POOL_LIMITS: PoolLimits = {
  transactions: 32_768,
  bytes: 256 << 20,
  perSender: 1024,
  queuedPerSender: 64,
  lifetimeMs: 3 * 60 * 60 * 1000,
};

/** Decides who goes when there is no room. */
export interface Room {
  /**
   * Makes room for a transaction that replaces none: only the last transaction of a sender ever goes, so that no other
   * loses its turn.
   *
   * @throws `pool/full`, `pool/underpriced`
   */
  admit(newcomer: Pooled, base: { nonce: bigint; baseFee: bigint }): void;
  /** @throws `pool/full` when a replacement needs more bytes than there are. */
  admitInstead(newcomer: Pooled, old: Pooled): void;
  /** Drops what a sender has too much behind its gap, the highest nonce first. */
  trim(sender: string): void;
  /** Drops what has waited behind a gap for too long. */
  expire(nowMs: number): void;
  /** A new head: as many as before may be driven out again. */
  renew(): void;
}

/** Creates the {@link Room} of a book. */
export function createRoom(book: Book, limits: PoolLimits): Room {
  /** Driven out by a better price since the last head. A flood of ever better paid ones must not turn over the whole pool. */
  let evicted = 0;

  const isOver = (more: { transactions: number; bytes: number }): boolean => {
    const { pending, queued, bytes } = book.counts();
    return pending + queued + more.transactions > limits.transactions || bytes + more.bytes > limits.bytes;
  };

  /** Room in the sender's own share: its highest nonce makes way for a lower one. */
  function admitToShare(newcomer: Pooled, isGapped: boolean): void {
    const account = book.account(newcomer.sender);
    if (account === undefined) return;
    const { run, queued } = account;
    const all = run.length + queued.size;
    const limit = all >= limits.perSender ? limits.perSender : limits.queuedPerSender;
    if (all < limits.perSender && !(isGapped && queued.size >= limits.queuedPerSender)) return;
    const last = readLast(account);
    if (last === undefined || last.nonce < newcomer.nonce) throw fail('pool/full', `account limit exceeded: pooled ${limit} txs`);
    book.remove(last);
  }

  /** What a block can expect of a newcomer: the price of the cheapest that must go before it, or its own. */
  function worthOf(newcomer: Pooled, baseFee: bigint): bigint {
    const account = book.account(newcomer.sender);
    const before = account?.run.slice(-1).map(({ worth }) => worth) ?? [];
    const waiting = [...(account?.queued.values() ?? [])].filter(({ nonce }) => nonce < newcomer.nonce);
    const { tip, cap } = lowest([newcomer, ...before, ...waiting]) ?? newcomer;
    return tipAt({ tip, cap, slack: cap - tip }, baseFee);
  }

  function evict(newcomer: Pooled, isGapped: boolean, baseFee: bigint): void {
    const worth = worthOf(newcomer, baseFee);
    // What waits behind a gap pays nothing for now, whatever it promises: it goes first, and drives out none of the others.
    const queued = book.cheapest('queued', baseFee);
    const victim = queued ?? book.cheapest('pending', baseFee);
    if (victim === undefined) throw fail('pool/full', 'txpool is full');
    const mustPayMore = isGapped || queued === undefined;
    if (mustPayMore && worth <= tipAt(victim, baseFee)) throw fail('pool/underpriced', 'transaction underpriced');
    if (isGapped && queued === undefined) throw fail('pool/full', 'future transaction tries to replace pending');
    if (mustPayMore && evicted >= limits.transactions / 4) throw fail('pool/full', 'txpool is full');
    if (mustPayMore) evicted += 1;
    book.remove(victim.pooled);
  }

  return {
    admit(newcomer, { nonce, baseFee }) {
      const account = book.account(newcomer.sender);
      const isGapped = newcomer.nonce > (account === undefined ? nonce : nextNonce(account));
      admitToShare(newcomer, isGapped);
      while (isOver({ transactions: 1, bytes: newcomer.transaction.raw.length })) evict(newcomer, isGapped, baseFee);
    },
    admitInstead(newcomer, old) {
      const bytes = newcomer.transaction.raw.length - old.transaction.raw.length;
      if (bytes > 0 && isOver({ transactions: 0, bytes })) throw fail('pool/full', 'txpool is full');
    },
    trim(sender) {
      const waiting = [...(book.account(sender)?.queued.values() ?? [])].sort((a, b) => Number(a.nonce - b.nonce));
      for (const pooled of waiting.slice(limits.queuedPerSender)) book.remove(pooled);
    },
    expire(nowMs) {
      for (const { queued } of [...book.accounts()]) {
        for (const pooled of [...queued.values()]) {
          if (nowMs - pooled.queuedMs >= limits.lifetimeMs) book.remove(pooled);
        }
      }
    },
    renew() {
      evicted = 0;
    },
  };
}
