import type { Common } from '@ethereumjs/common';
import type { ChainReader, HeadChange } from '@hemid/chain';
import { checkStateless, decodeUserTransaction, feeCap, maximumCost, tipCap, type UserTransaction } from '@hemid/hvm';
import { isSystemEnvelope, toHex } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { fail } from './errors.ts';

/** Transactions that wait for a block, by sender and nonce. */
export interface Pool {
  /**
   * Takes a raw transaction.
   *
   * @returns its hash.
   * @throws `hvm/transaction-invalid` or `pool/…`, worded as geth words it.
   */
  submit(raw: Uint8Array): Promise<Uint8Array>;
  /** The nonce that the sender's next transaction should have, counting those in the pool. */
  nonce(address: Uint8Array): Promise<bigint>;
  read(hash: Uint8Array): UserTransaction | undefined;
  /** How many are executable now, and how many wait for an earlier nonce. */
  counts(): { pending: number; queued: number };
  /** The best executable transactions at a base fee: highest tip first, nonces of a sender in order. */
  candidates(baseFee: bigint): PoolCursor;
  /** Drops a transaction that cannot be executed, and with it nothing else. */
  drop(transaction: UserTransaction): void;
  /** Forgets what the chain has taken and takes back what a reorg released. */
  follow(change: HeadChange): Promise<void>;
  onTransaction(listener: (transaction: UserTransaction) => void): () => void;
}

/** An ordered choice of transactions for one block. */
export interface PoolCursor {
  next(): UserTransaction | undefined;
  /** The transaction last given could not be taken: no later nonce of its sender will be given. */
  skipSender(): void;
}

/** Most transactions of one sender. */
const MAX_PER_SENDER = 1024;
const MAX_TOTAL = 16_384;
/** Percent by which a replacement must raise both fees. */
const PRICE_BUMP = 10n;

interface Account {
  /** By nonce. */
  transactions: Map<bigint, UserTransaction>;
  /** Next nonce in the state of the head. */
  nonce: bigint;
}

/** Creates the pool of a node that builds blocks. */
export function createPool(deps: { chain: ChainReader; common: Common; log: Logger }): Pool {
  const { chain, common, log } = deps;
  const accounts = new Map<string, Account>();
  const byHash = new Map<string, UserTransaction>();
  const listeners = new Set<(transaction: UserTransaction) => void>();

  const stateOf = async (address: Uint8Array): Promise<{ nonce: bigint; balance: bigint }> =>
    (await chain.stateAt(chain.head('latest')).account(address)) ?? { nonce: 0n, balance: 0n };

  function checkReplacement(old: UserTransaction, next: UserTransaction): void {
    const raised = (a: bigint, b: bigint): boolean => b * 100n >= a * (100n + PRICE_BUMP);
    if (raised(feeCap(old.tx), feeCap(next.tx)) && raised(tipCap(old.tx), tipCap(next.tx))) return;
    throw fail('pool/underpriced', 'replacement transaction underpriced');
  }

  function remove(transaction: UserTransaction): void {
    const key = toHex(transaction.sender);
    const account = accounts.get(key);
    byHash.delete(toHex(transaction.hash));
    if (account?.transactions.get(transaction.tx.nonce) === transaction) account.transactions.delete(transaction.tx.nonce);
    if (account?.transactions.size === 0) accounts.delete(key);
  }

  function put(transaction: UserTransaction, nonce: bigint): void {
    const key = toHex(transaction.sender);
    const account = accounts.get(key) ?? { transactions: new Map<bigint, UserTransaction>(), nonce };
    account.nonce = nonce;
    account.transactions.set(transaction.tx.nonce, transaction);
    accounts.set(key, account);
    byHash.set(toHex(transaction.hash), transaction);
  }

  /** Transactions of an account that follow its nonce without a gap, in order. */
  function executable(account: Account): UserTransaction[] {
    const run: UserTransaction[] = [];
    for (let nonce = account.nonce; ; nonce += 1n) {
      const transaction = account.transactions.get(nonce);
      if (transaction === undefined) return run;
      run.push(transaction);
    }
  }

  function checkRoom(transaction: UserTransaction, account: Account | undefined): void {
    if (byHash.size >= MAX_TOTAL) throw fail('pool/full', 'txpool is full');
    if ((account?.transactions.size ?? 0) >= MAX_PER_SENDER) {
      throw fail('pool/full', `account limit exceeded: ${toHex(transaction.sender)} has ${MAX_PER_SENDER} transactions waiting`);
    }
  }

  async function add(raw: Uint8Array): Promise<UserTransaction> {
    const transaction = decodeUserTransaction(raw, common);
    checkStateless(transaction);
    const { nonce, balance } = await stateOf(transaction.sender);
    // From here on nothing waits, so that the same transaction handed in twice at once is known the second time.
    if (byHash.has(toHex(transaction.hash))) throw fail('pool/already-known', 'already known');
    if (transaction.tx.nonce < nonce) {
      throw fail('pool/rejected', `nonce too low: next nonce ${nonce}, tx nonce ${transaction.tx.nonce}`);
    }
    if (maximumCost(transaction.tx) > balance) {
      throw fail(
        'pool/rejected',
        `insufficient funds for gas * price + value: balance ${balance}, tx cost ${maximumCost(transaction.tx)}, overshot ${maximumCost(transaction.tx) - balance}`,
      );
    }
    if (transaction.tx.gasLimit > chain.spec.genesis.gasLimit) throw fail('pool/rejected', 'exceeds block gas limit');
    const account = accounts.get(toHex(transaction.sender));
    const old = account?.transactions.get(transaction.tx.nonce);
    if (old === undefined) checkRoom(transaction, account);
    else {
      checkReplacement(old, transaction);
      remove(old);
    }
    put(transaction, nonce);
    return transaction;
  }

  async function takeBack(raw: Uint8Array): Promise<void> {
    try {
      await add(raw);
    } catch (error) {
      log.debug({ err: error }, 'transaction of a removed block was not taken back');
    }
  }

  return {
    async submit(raw) {
      const transaction = await add(raw);
      for (const listener of listeners) listener(transaction);
      return transaction.hash;
    },
    async nonce(address) {
      const { nonce } = await stateOf(address);
      const account = accounts.get(toHex(address));
      return account === undefined ? nonce : nonce + BigInt(executable({ ...account, nonce }).length);
    },
    read: (hash) => byHash.get(toHex(hash)),
    counts() {
      const pending = [...accounts.values()].reduce((sum, account) => sum + executable(account).length, 0);
      return { pending, queued: byHash.size - pending };
    },
    candidates: (baseFee) => createCursor([...accounts.values()].map(executable), baseFee),
    drop: remove,
    async follow({ removed, added }) {
      for (const { hash } of removed) {
        const raws = chain.block(hash)?.block.transactions ?? [];
        for (const raw of raws) if (!isSystemEnvelope(raw)) await takeBack(raw);
      }
      if (added.length === 0 && removed.length === 0) return;
      for (const [key, account] of accounts) {
        const [first] = account.transactions.values();
        if (first === undefined || toHex(first.sender) !== key) continue;
        account.nonce = (await stateOf(first.sender)).nonce;
        for (const [nonce, transaction] of account.transactions) if (nonce < account.nonce) remove(transaction);
      }
    },
    onTransaction(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Tip that a transaction really pays at a base fee; negative when it does not reach the base fee. */
function tipAt(transaction: UserTransaction, baseFee: bigint): bigint {
  const room = feeCap(transaction.tx) - baseFee;
  return room < tipCap(transaction.tx) ? room : tipCap(transaction.tx);
}

function createCursor(runs: UserTransaction[][], baseFee: bigint): PoolCursor {
  const heads = runs.filter((run) => run[0] !== undefined && tipAt(run[0], baseFee) >= 0n);
  let last: UserTransaction[] | undefined;

  function leave(run: UserTransaction[]): void {
    const i = heads.indexOf(run);
    if (i !== -1) heads.splice(i, 1);
  }

  return {
    next() {
      let best: UserTransaction[] | undefined;
      for (const run of heads) {
        if (best === undefined || tipAt(run[0] as UserTransaction, baseFee) > tipAt(best[0] as UserTransaction, baseFee)) best = run;
      }
      last = best;
      const transaction = best?.shift();
      const following = best?.[0];
      if (best !== undefined && (following === undefined || tipAt(following, baseFee) < 0n)) leave(best);
      return transaction;
    },
    skipSender() {
      if (last !== undefined) leave(last);
    },
  };
}
