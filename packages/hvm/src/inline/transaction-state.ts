import type { Account } from '@ethereumjs/util';
import type { Log } from '@hemid/protocol';
import type { FlatState } from '../state/flat-state.ts';
import { toWord, wordLatin } from './words.ts';

/** A storage slot during a transaction. */
export interface Slot {
  /** Before the transaction. */
  readonly original: bigint;
  current: bigint;
  isWarm: boolean;
}

/** Where a frame began: what it did can be taken back to here. */
export interface Mark {
  undos: number;
  logs: number;
  refund: number;
}

/**
 * What one transaction changes, beside the state until it is over: balances, slots, what is warm (EIP-2929), logs,
 * refund, transient storage (EIP-1153). Addresses are latin1.
 */
export interface TransactionState {
  readonly balances: ReadonlyMap<string, bigint>;
  readonly slots: ReadonlyMap<string, ReadonlyMap<bigint, Slot>>;
  /** Not to be changed by who takes them from here: the next transaction has others. */
  logs: Log[];
  refund: number;
  /** Begins the next transaction: nothing is changed, and these addresses are warm. */
  begin(warm: readonly string[]): void;
  mark(): Mark;
  revert(mark: Mark): void;
  /** The account as it was before the transaction. */
  account(address: string): Readonly<Account> | undefined;
  /** Code of an account; no bytes when it has none. */
  code(address: string): Uint8Array;
  balance(address: string): bigint;
  setBalance(address: string, wei: bigint): void;
  move(from: string, to: string, wei: bigint): void;
  /** Warms an address. @returns whether it was cold. */
  warmAddress(address: string): boolean;
  slot(address: string, key: bigint): Slot;
  /** Warms a slot. @returns whether it was cold. */
  warmSlot(slot: Slot): boolean;
  setSlot(slot: Slot, word: bigint): void;
  transient(address: string, key: bigint): bigint;
  setTransient(address: string, key: bigint, word: bigint): void;
}

/** What a transaction begins with. */
export type ReadableState = Pick<FlatState, 'accountAt' | 'codeAt' | 'slotAt'>;

/** What transactions change on a state that answers at once, one after the other. */
export function createTransactionState(state: ReadableState): TransactionState {
  const balances = new Map<string, bigint>();
  const slots = new Map<string, Map<bigint, Slot>>();
  const transients = new Map<string, Map<bigint, bigint>>();
  const warmAddresses = new Set<string>();
  const undos: (() => void)[] = [];

  function balance(address: string): bigint {
    return balances.get(address) ?? state.accountAt(address)?.balance ?? 0n;
  }

  function setBalance(address: string, wei: bigint): void {
    const before = balances.get(address);
    undos.push(() => {
      if (before === undefined) balances.delete(address);
      else balances.set(address, before);
    });
    balances.set(address, wei);
  }

  return {
    balances,
    slots,
    logs: [],
    refund: 0,
    begin(warm) {
      balances.clear();
      slots.clear();
      transients.clear();
      warmAddresses.clear();
      for (const address of warm) warmAddresses.add(address);
      undos.length = 0;
      this.logs = [];
      this.refund = 0;
    },
    mark() {
      return { undos: undos.length, logs: this.logs.length, refund: this.refund };
    },
    revert(mark) {
      while (undos.length > mark.undos) undos.pop()?.();
      this.logs.length = mark.logs;
      this.refund = mark.refund;
    },
    account: state.accountAt,
    code: state.codeAt,
    balance,
    setBalance,
    move(from, to, wei) {
      setBalance(from, balance(from) - wei);
      setBalance(to, balance(to) + wei);
    },
    warmAddress(address) {
      if (warmAddresses.has(address)) return false;
      warmAddresses.add(address);
      undos.push(() => warmAddresses.delete(address));
      return true;
    },
    slot(address, key) {
      let own = slots.get(address);
      if (own === undefined) {
        own = new Map();
        slots.set(address, own);
      }
      let slot = own.get(key);
      if (slot === undefined) {
        const original = toWord(state.slotAt(address, wordLatin(key)));
        slot = { original, current: original, isWarm: false };
        own.set(key, slot);
      }
      return slot;
    },
    warmSlot(slot) {
      if (slot.isWarm) return false;
      slot.isWarm = true;
      undos.push(() => {
        slot.isWarm = false;
      });
      return true;
    },
    setSlot(slot, word) {
      const { current } = slot;
      undos.push(() => {
        slot.current = current;
      });
      slot.current = word;
    },
    transient: (address, key) => transients.get(address)?.get(key) ?? 0n,
    setTransient(address, key, word) {
      const own = transients.get(address) ?? new Map<bigint, bigint>();
      transients.set(address, own);
      const before = own.get(key) ?? 0n;
      undos.push(() => own.set(key, before));
      own.set(key, word);
    },
  };
}
