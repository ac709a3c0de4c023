import type { Common, StateManagerInterface } from '@ethereumjs/common';
import { OriginalStorageCache } from '@ethereumjs/statemanager';
import { Account, type Address, KECCAK256_NULL } from '@ethereumjs/util';
import { equal } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { copyAccount, decodeAccount } from './account-row.ts';
import { keccak } from './keccak.ts';
import { accountKey, codeKey, latin, slotKey } from './key.ts';
import type { StateSource } from './source.ts';

/** What was touched since the state was opened, for the roots. */
export interface Touched {
  accounts: Map<string, Account | undefined>;
  /** Rows of accounts as they were read, before any change. */
  rows: ReadonlyMap<string, Uint8Array | undefined>;
  /** Storage written, by address and slot (latin1). */
  storage: Map<string, Map<string, Uint8Array>>;
  /** Accounts whose storage from before is gone. */
  cleared: Set<string>;
  /** New code by hash (latin1). */
  code: Map<string, Uint8Array>;
}

/** A flat state with an undo journal, as @ethereumjs/vm wants its state manager. */
export interface FlatState extends StateManagerInterface {
  touched(): Touched;
  /** An account as it is kept, not to be changed. All of these want a source that answers at once; addresses and slots are latin1. */
  accountAt(address: string): Readonly<Account> | undefined;
  /** Puts an account that nobody changes afterwards. */
  setAccountAt(address: string, account: Account): void;
  /** Code of an account; no bytes when it has none. */
  codeAt(address: string): Uint8Array;
  /** A storage value without leading zero bytes. */
  slotAt(address: string, slot: string): Uint8Array;
  setSlotAt(address: string, slot: string, value: Uint8Array): void;
}

type Undo = () => void;

function atOnce<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new RangeError('this state does not answer at once');
  return value;
}

const EMPTY = new Uint8Array();
/** Code by hash (latin1), shared by all states: the same array each time, so that jump analysis can be cached by it. */
const sharedCode = new Map<string, Uint8Array>();
const MAX_SHARED_CODE = 4096;

/** Code by its hash (latin1), as all states share it; `load` gives it when it is not known. */
export function shareCode(hash: string, load: () => Uint8Array): Uint8Array {
  const known = sharedCode.get(hash);
  if (known !== undefined) return known;
  const code = load();
  const oldest = sharedCode.keys().next().value;
  if (sharedCode.size >= MAX_SHARED_CODE && oldest !== undefined) sharedCode.delete(oldest);
  sharedCode.set(hash, code);
  return code;
}

/**
 * Opens a state over `source`: accounts, storage and code in Maps, each change with its undo, nothing hashed. Reads of
 * accounts and slots reach the source once.
 */
export function openFlatState(common: Common, source: StateSource): FlatState {
  const accounts = new Map<string, Account | undefined>();
  const rows = new Map<string, Uint8Array | undefined>();
  const written = new Set<string>();
  const storage = new Map<string, Map<string, Uint8Array>>();
  const clean = new Map<string, Uint8Array>();
  const cleared = new Set<string>();
  const code = new Map<string, Uint8Array>();
  const journal: Undo[] = [];
  const marks: number[] = [];

  const remember = (undo: Undo): void => {
    if (marks.length > 0) journal.push(undo);
  };

  function keep(address: string, row: Uint8Array | undefined): Account | undefined {
    const found = row === undefined ? undefined : decodeAccount(row);
    accounts.set(address, found);
    rows.set(address, row);
    return found;
  }

  /** At once when the source does; {@link account} waits for it. */
  function lookUp(address: string): Account | undefined | Promise<Account | undefined> {
    const found = accounts.get(address);
    if (found !== undefined || accounts.has(address)) return found;
    const row = source.read(accountKey(address));
    return row instanceof Promise ? row.then((bytes) => keep(address, bytes)) : keep(address, row);
  }

  async function account(address: string): Promise<Account | undefined> {
    return lookUp(address);
  }

  function setAccount(address: string, next: Account | undefined): void {
    if (marks.length > 0) {
      const had = accounts.has(address);
      const before = accounts.get(address);
      const wasWritten = written.has(address);
      journal.push(() => {
        if (had) accounts.set(address, before);
        else accounts.delete(address);
        if (!wasWritten) written.delete(address);
      });
    }
    accounts.set(address, next);
    written.add(address);
  }

  function setSlot(address: string, slot: string, value: Uint8Array): void {
    let slots = storage.get(address);
    if (slots === undefined) {
      slots = new Map();
      storage.set(address, slots);
    }
    const at = slots;
    const before = at.get(slot);
    remember(() => {
      if (before === undefined) at.delete(slot);
      else at.set(slot, before);
    });
    at.set(slot, value);
  }

  function clear(address: string): void {
    const slots = storage.get(address);
    const wasCleared = cleared.has(address);
    remember(() => {
      if (slots === undefined) storage.delete(address);
      else storage.set(address, slots);
      if (!wasCleared) cleared.delete(address);
    });
    storage.set(address, new Map());
    cleared.add(address);
  }

  function keepSlot(key: string, value: Uint8Array = EMPTY): Uint8Array {
    clean.set(key, value);
    return value;
  }

  /** At once when the source does. */
  function slotValue(address: string, slot: string): Uint8Array | Promise<Uint8Array> {
    const known = storage.get(address)?.get(slot);
    if (known !== undefined) return known;
    if (cleared.has(address)) return EMPTY;
    const key = slotKey(address, slot);
    const cached = clean.get(key);
    if (cached !== undefined) return cached;
    const row = source.read(key);
    return row instanceof Promise ? row.then((value) => keepSlot(key, value)) : keepSlot(key, row);
  }

  /** At once when the source does. */
  function codeOf(found: Account | undefined): Uint8Array | Promise<Uint8Array> {
    if (found === undefined || equal(found.codeHash, KECCAK256_NULL)) return EMPTY;
    const hash = latin(found.codeHash);
    const known = code.get(hash) ?? sharedCode.get(hash);
    if (known !== undefined) return known;
    const row = source.read(codeKey(hash));
    return row instanceof Promise ? row.then((value = EMPTY) => shareCode(hash, () => value)) : shareCode(hash, () => row ?? EMPTY);
  }

  const state: FlatState & { common: Common } = {
    common,
    originalStorageCache: undefined as never,
    async getAccount(address) {
      const found = await account(latin(address.bytes));
      return found === undefined ? undefined : copyAccount(found);
    },
    async putAccount(address, next) {
      setAccount(latin(address.bytes), next === undefined ? undefined : copyAccount(next));
    },
    async deleteAccount(address) {
      const at = latin(address.bytes);
      setAccount(at, undefined);
      clear(at);
    },
    async modifyAccountFields(address, fields) {
      const at = latin(address.bytes);
      const next = copyAccount((await account(at)) ?? new Account());
      setAccount(
        at,
        Object.assign(next, {
          nonce: fields.nonce ?? next.nonce,
          balance: fields.balance ?? next.balance,
          codeHash: fields.codeHash ?? next.codeHash,
        }),
      );
    },
    async putCode(address, value) {
      const hash = value.length === 0 ? KECCAK256_NULL : keccak(value);
      if (value.length > 0)
        code.set(
          latin(hash),
          shareCode(latin(hash), () => value),
        );
      const at = latin(address.bytes);
      const next = copyAccount((await account(at)) ?? new Account());
      next.codeHash = hash;
      setAccount(at, next);
    },
    async getCode(address) {
      return codeOf(await account(latin(address.bytes)));
    },
    async getCodeSize(address) {
      return (await state.getCode(address)).length;
    },
    async getStorage(address, slot) {
      return slotValue(latin(address.bytes), latin(slot));
    },
    async putStorage(address, slot, value) {
      const at = latin(address.bytes);
      if ((await account(at)) === undefined) throw fail('hvm/state-missing', `storage is written to ${address.toString()}, which does not exist`);
      setSlot(at, latin(slot), value);
    },
    async clearStorage(address) {
      clear(latin(address.bytes));
    },
    async checkpoint() {
      marks.push(journal.length);
    },
    async commit() {
      marks.pop();
      if (marks.length === 0) journal.length = 0;
    },
    async revert() {
      const mark = marks.pop() ?? 0;
      for (
        let undo = journal.length > mark ? journal.pop() : undefined;
        undo !== undefined;
        undo = journal.length > mark ? journal.pop() : undefined
      ) {
        undo();
      }
    },
    async getStateRoot() {
      throw new RangeError('a flat state has no root of its own: commitState gives it');
    },
    async setStateRoot() {
      throw new RangeError('a flat state is opened at its root');
    },
    hasStateRoot: async () => false,
    clearCaches() {},
    shallowCopy: () => openFlatState(common, source),
    accountAt: (address) => atOnce(lookUp(address)),
    setAccountAt: setAccount,
    codeAt: (address) => atOnce(codeOf(atOnce(lookUp(address)))),
    slotAt: (address, slot) => atOnce(slotValue(address, slot)),
    setSlotAt: setSlot,
    touched() {
      const changed = new Map<string, Account | undefined>();
      for (const address of written) changed.set(address, accounts.get(address));
      for (const address of storage.keys()) if (!changed.has(address)) changed.set(address, accounts.get(address));
      return { accounts: changed, rows, storage, cleared, code };
    },
  };
  const cache = new OriginalStorageCache((address: Address, slot: Uint8Array) => state.getStorage(address, slot));
  state.originalStorageCache = cache;
  return state;
}
