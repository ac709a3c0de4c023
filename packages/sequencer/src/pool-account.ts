import { feeCap, tipCap, type UserTransaction } from '@hemid/hvm';
import { toHex } from '@hemid/protocol';
import type { Priced } from './fee-order.ts';

/** A transaction in the pool. */
export interface Pooled extends Priced {
  readonly transaction: UserTransaction;
  /** Hash, hex. */
  readonly key: string;
  /** Address, hex. */
  readonly sender: string;
  readonly nonce: bigint;
  /** When it began to wait behind a gap, milliseconds; of no meaning while it does not. */
  queuedMs: number;
  /** The lowest tip and cap of this and of those that must go before it. */
  worth: { tip: bigint; cap: bigint };
}

/** A transaction as the pool keeps it. */
export function toPooled(transaction: UserTransaction, arrival: number): Pooled {
  const { tx } = transaction;
  const [tip, cap] = [tipCap(tx), feeCap(tx)];
  const pooled = {
    transaction,
    key: toHex(transaction.hash),
    sender: toHex(transaction.sender),
    nonce: tx.nonce,
    tip,
    cap,
    slack: cap - tip,
    arrival,
    byPrice: -1,
    bySlack: -1,
    queuedMs: 0,
    worth: undefined as unknown as Pooled['worth'],
  };
  pooled.worth = pooled;
  return pooled;
}

/** The transactions of one sender. */
export interface Account {
  /** Address, hex. */
  readonly sender: string;
  /** Next nonce in the state. */
  nonce: bigint;
  /** Those that can be executed one after the other: nonces `nonce`, `nonce + 1`, … */
  readonly run: Pooled[];
  /** Those behind a gap, by nonce. */
  readonly queued: Map<bigint, Pooled>;
}

/** Creates an account without transactions. */
export function createAccount(sender: string, nonce: bigint): Account {
  return { sender, nonce, run: [], queued: new Map() };
}

/** The nonce that the account's next executable transaction would have. */
export const nextNonce = ({ nonce, run }: Account): bigint => nonce + BigInt(run.length);

/** The transaction with a nonce. */
export function readAt({ nonce, run, queued }: Account, at: bigint): Pooled | undefined {
  return run[Number(at - nonce)] ?? queued.get(at);
}

/** The transaction with the highest nonce: no other needs it. */
export function readLast({ run, queued }: Account): Pooled | undefined {
  let last = run.at(-1);
  for (const pooled of queued.values()) if (last === undefined || pooled.nonce > last.nonce) last = pooled;
  return last;
}

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The lowest tip and cap of several. */
export function lowest(prices: Iterable<{ tip: bigint; cap: bigint }>): { tip: bigint; cap: bigint } | undefined {
  let worth: { tip: bigint; cap: bigint } | undefined;
  for (const { tip, cap } of prices) worth = worth === undefined ? { tip, cap } : { tip: lower(worth.tip, tip), cap: lower(worth.cap, cap) };
  return worth;
}

/** A run is worth what its cheapest link pays, for the later links wait for it. */
function weigh(run: readonly Pooled[], from: number): void {
  for (let i = from; i < run.length; i += 1) {
    const pooled = run[i] as Pooled;
    const before = run[i - 1]?.worth;
    pooled.worth = before === undefined ? pooled : { tip: lower(before.tip, pooled.tip), cap: lower(before.cap, pooled.cap) };
  }
}

function enqueue(account: Account, pooled: Pooled, nowMs: number): void {
  pooled.queuedMs = nowMs;
  account.queued.set(pooled.nonce, pooled);
}

/** Takes those out of the queue whose gap is closed. */
function promote(account: Account): void {
  for (let pooled = account.queued.get(nextNonce(account)); pooled !== undefined; pooled = account.queued.get(nextNonce(account))) {
    account.queued.delete(pooled.nonce);
    account.run.push(pooled);
  }
}

/** Puts a transaction with a nonce from the account's on into its place, in place of what stood there. */
export function put(account: Account, pooled: Pooled, nowMs: number): void {
  const index = Number(pooled.nonce - account.nonce);
  if (index > account.run.length) {
    enqueue(account, pooled, nowMs);
    return;
  }
  account.run[index] = pooled;
  promote(account);
  weigh(account.run, index);
}

/** Takes a transaction out; those behind it wait from now on. @returns whether it was in. */
export function take(account: Account, pooled: Pooled, nowMs: number): boolean {
  if (account.queued.get(pooled.nonce) === pooled) return account.queued.delete(pooled.nonce);
  const index = Number(pooled.nonce - account.nonce);
  if (account.run[index] !== pooled) return false;
  const [, ...behind] = account.run.splice(index);
  for (const later of behind) enqueue(account, later, nowMs);
  return true;
}

/** Follows the nonce in the state. @returns the transactions that it has left behind. */
export function moveTo(account: Account, nonce: bigint, nowMs: number): Pooled[] {
  const gone = account.run.splice(0, nonce > account.nonce ? Number(nonce - account.nonce) : 0);
  if (nonce < account.nonce) for (const pooled of account.run.splice(0)) enqueue(account, pooled, nowMs);
  account.nonce = nonce;
  for (const pooled of account.queued.values()) if (pooled.nonce < nonce) gone.push(pooled);
  for (const pooled of gone) account.queued.delete(pooled.nonce);
  promote(account);
  weigh(account.run, 0);
  return gone;
}
