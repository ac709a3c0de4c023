import type { Common } from '@ethereumjs/common';
import type { ChainReader, HeadChange, PlacedL2Header } from '@hemid/chain';
import { checkStateless, decodeUserTransaction, hashOfTransaction, nextBaseFee, type UserTransaction } from '@hemid/hvm';
import { type Hex, isHemidError, isSystemEnvelope, toHex } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import { fail } from './errors.ts';
import { nextNonce, type Pooled, readAt, toPooled } from './pool-account.ts';
import { createBook, type PoolWatcher } from './pool-book.ts';
import type { PoolCursor } from './pool-cursor.ts';
import { createRoom, POOL_LIMITS, type PoolLimits } from './pool-room.ts';
import { checkReplacement, checkSender, checkSize, type SenderState } from './pool-rule.ts';
import { createSenderCache } from './sender-cache.ts';

/** Transactions of senders, in the order of their nonces. */
export type PoolContent = Map<Hex, UserTransaction[]>;

/** Transactions that wait for a block, by sender and nonce. */
export interface Pool {
  /**
   * Takes a raw transaction.
   *
   * @returns its hash.
   * @throws `hvm/transaction-invalid` or `pool/…`, worded as geth words it.
   */
  submit(raw: Uint8Array): Promise<Uint8Array>;
  /** Takes back what it had taken before; what is not valid any more is left out, and nobody hears of the others. */
  restore(raws: readonly Uint8Array[]): Promise<void>;
  /** The nonce that the sender's next transaction should have, counting those in the pool. */
  nonce(address: Uint8Array): Promise<bigint>;
  read(hash: Uint8Array): UserTransaction | undefined;
  /** How many are executable now, and how many wait for an earlier nonce. */
  counts(): { pending: number; queued: number };
  /** Those that are counted. */
  content(): { pending: PoolContent; queued: PoolContent };
  /** The best executable transactions at a base fee: highest tip first, nonces of a sender in order. */
  candidates(baseFee: bigint): PoolCursor;
  /** Drops a transaction that cannot be executed, and with it nothing else. */
  drop(transaction: UserTransaction): void;
  /** Forgets what the chain has taken and takes back what a reorg released. */
  follow(change: HeadChange): Promise<void>;
  /** Resolves when every head change that it was told of has been followed. */
  settled(): Promise<void>;
  onTransaction(listener: (transaction: UserTransaction) => void): () => void;
  /** Tells of everything that comes in and goes out; @returns an unsubscribe. */
  watch(watcher: PoolWatcher): () => void;
}

export interface PoolDeps {
  chain: ChainReader;
  common: Common;
  clock: Clock;
  log: Logger;
}

/** How often it is looked for transactions that have waited too long, in milliseconds. */
const EXPIRY_MS = 60_000;

/** Creates the pool of a node that builds blocks. */
export function createPool({ chain, common, clock, log }: PoolDeps, limits: PoolLimits = POOL_LIMITS): Pool {
  const book = createBook(clock.now);
  const room = createRoom(book, limits);
  const senders = createSenderCache(chain);
  const listeners = new Set<(transaction: UserTransaction) => void>();
  /** Senders of dropped transactions: what is known of their nonces may be wrong. */
  const doubted = new Set<string>();
  let arrivals = 0;
  let following: Promise<void> = Promise.resolve();
  let expiryMs = clock.now() + EXPIRY_MS;

  /** Calls `use` with the sender's state at the head of now, the pool in agreement with it; nothing waits in between. */
  async function withState<T>(sender: string, use: (state: SenderState) => T): Promise<T> {
    for (;;) {
      const state = senders.read(sender);
      if (state !== undefined) {
        book.moveTo(sender, state.nonce);
        return use(state);
      }
      await senders.load(sender);
    }
  }

  function admit(transaction: UserTransaction, state: SenderState): void {
    arrivals += 1;
    const newcomer = toPooled(transaction, arrivals);
    // Handed in twice at once, it has come in while the state was read.
    if (book.read(newcomer.key) !== undefined) throw fail('pool/already-known', 'already known');
    const { header } = chain.head('latest');
    checkSender(transaction, state, header.gasLimit);
    const account = book.account(newcomer.sender);
    const old = account && readAt(account, newcomer.nonce);
    if (old === undefined) {
      room.admit(newcomer, { nonce: state.nonce, baseFee: nextBaseFee(chain.spec, header) });
    } else {
      checkReplacement(old, newcomer);
      room.admitInstead(newcomer, old);
    }
    book.put(newcomer, state.nonce);
  }

  async function add(transaction: UserTransaction): Promise<void> {
    checkStateless(transaction);
    await withState(toHex(transaction.sender), (state) => admit(transaction, state));
  }

  function decode(raw: Uint8Array): UserTransaction | undefined {
    try {
      return decodeUserTransaction(raw, common);
    } catch (error) {
      if (!isHemidError(error)) throw error;
      log.debug({ err: error }, 'transaction was not taken back');
      return undefined;
    }
  }

  async function takeBack(transactions: readonly UserTransaction[]): Promise<void> {
    for (const transaction of transactions) {
      try {
        await add(transaction);
      } catch (error) {
        if (!isHemidError(error)) throw error;
        log.debug({ err: error }, 'transaction was not taken back');
      }
    }
  }

  const rawsOf = ({ hash }: PlacedL2Header): Uint8Array[] => (chain.block(hash)?.block.transactions ?? []).filter((raw) => !isSystemEnvelope(raw));

  /** Goes on from what blocks took. @returns senders whose state has to be asked, for a block does not tell their nonce. */
  function leaveMined(raws: readonly Uint8Array[]): Set<string> {
    const nonces = new Map<string, bigint>();
    const unclear = new Set<string>();
    if (book.counts().bytes === 0) return unclear;
    for (const raw of raws) {
      const pooled = book.read(toHex(hashOfTransaction(raw)));
      if (pooled !== undefined) nonces.set(pooled.sender, pooled.nonce + 1n);
      else unclear.add(toHex(decodeUserTransaction(raw, common).sender));
    }
    for (const [sender, nonce] of nonces) {
      const account = book.account(sender);
      if (account !== undefined && account.nonce < nonce) book.moveTo(sender, nonce);
    }
    return unclear;
  }

  async function take({ removed, added }: HeadChange): Promise<void> {
    if (removed.length === 0 && added.length === 0) return;
    room.renew();
    const oldestFirst = [...removed].reverse();
    const released = oldestFirst.flatMap(rawsOf).flatMap((raw) => decode(raw) ?? []);
    const unclear = leaveMined(added.flatMap(rawsOf));
    for (const { sender } of released) unclear.add(toHex(sender));
    for (const sender of doubted) unclear.add(sender);
    doubted.clear();
    for (const sender of unclear) if (book.account(sender) !== undefined) await withState(sender, () => undefined);
    await takeBack(released);
    for (const sender of unclear) room.trim(sender);
    if (clock.now() < expiryMs) return;
    expiryMs = clock.now() + EXPIRY_MS;
    room.expire(clock.now());
  }

  function contentOf(select: (account: { run: Pooled[]; queued: Map<bigint, Pooled> }) => Pooled[]): PoolContent {
    const content: PoolContent = new Map();
    for (const account of book.accounts()) {
      const transactions = select(account).map(({ transaction }) => transaction);
      if (transactions.length > 0) content.set(account.sender as Hex, transactions);
    }
    return content;
  }

  return {
    async submit(raw) {
      checkSize(raw);
      if (book.read(toHex(hashOfTransaction(raw))) !== undefined) throw fail('pool/already-known', 'already known');
      const transaction = decodeUserTransaction(raw, common);
      await add(transaction);
      for (const listener of listeners) listener(transaction);
      return transaction.hash;
    },
    async restore(raws) {
      const transactions = raws.flatMap((raw) => decode(raw) ?? []);
      await takeBack(transactions.sort((a, b) => (a.tx.nonce < b.tx.nonce ? -1 : Number(a.tx.nonce > b.tx.nonce))));
    },
    async nonce(address) {
      const sender = toHex(address);
      return withState(sender, ({ nonce }) => {
        const account = book.account(sender);
        return account === undefined ? nonce : nextNonce(account);
      });
    },
    read: (hash) => book.read(toHex(hash))?.transaction,
    counts() {
      const { pending, queued } = book.counts();
      return { pending, queued };
    },
    content: () => ({
      pending: contentOf(({ run }) => run),
      queued: contentOf(({ queued }) => [...queued.values()].sort((a, b) => Number(a.nonce - b.nonce))),
    }),
    candidates: book.candidates,
    drop(transaction) {
      const pooled = book.read(toHex(transaction.hash));
      if (pooled === undefined) return;
      doubted.add(pooled.sender);
      book.remove(pooled);
    },
    follow(change) {
      following = following.then(() => take(change));
      return following;
    },
    settled: () => following,
    onTransaction(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    watch: book.watch,
  };
}
