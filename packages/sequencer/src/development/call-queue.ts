import type { Common } from '@ethereumjs/common';
import { asUserTransaction, type UserTransaction } from '@hemid/hvm';
import { type DevelopmentTransaction, equal, toHex } from '@hemid/protocol';

/** Calls in the names of accounts, waiting for a block, in the order they came. */
export interface CallQueue {
  add(transaction: DevelopmentTransaction): UserTransaction;
  read(hash: Uint8Array): UserTransaction | undefined;
  all(): DevelopmentTransaction[];
  /** @returns whether it was there. */
  drop(hash: Uint8Array): boolean;
  /** Takes these instead of what waits. */
  replace(transactions: readonly DevelopmentTransaction[]): void;
  /** The nonce that the sender's next call should have, if calls of it wait. */
  nonce(sender: Uint8Array): bigint | undefined;
}

/** Creates an empty {@link CallQueue}. */
export function createCallQueue(common: Common): CallQueue {
  const waiting = new Map<string, { transaction: DevelopmentTransaction; user: UserTransaction }>();

  function add(transaction: DevelopmentTransaction): UserTransaction {
    const user = asUserTransaction(transaction, common);
    waiting.set(toHex(user.hash), { transaction, user });
    return user;
  }

  return {
    add,
    read: (hash) => waiting.get(toHex(hash))?.user,
    all: () => [...waiting.values()].map(({ transaction }) => transaction),
    drop: (hash) => waiting.delete(toHex(hash)),
    replace(transactions) {
      waiting.clear();
      for (const transaction of transactions) add(transaction);
    },
    nonce(sender) {
      const own = [...waiting.values()].filter(({ transaction }) => equal(transaction.from, sender));
      return own.length === 0 ? undefined : own.reduce((most, { transaction: { nonce } }) => (nonce > most ? nonce : most), 0n) + 1n;
    },
  };
}
