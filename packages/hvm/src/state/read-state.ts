import { type Account, KECCAK256_NULL } from '@ethereumjs/util';
import { equal } from '@hemid/protocol';
import { decodeAccount } from './account-row.ts';
import { type FlatState, shareCode } from './flat-state.ts';
import { accountKey, codeKey, latin, slotKey } from './key.ts';
import type { StateSource } from './source.ts';

/** What a call reads: accounts, code and slots that answer at once; addresses and slots are latin1. */
export type ReadState = Pick<FlatState, 'accountAt' | 'codeAt' | 'slotAt' | 'setAccountAt'>;

const EMPTY = new Uint8Array();

function readNow(source: StateSource, key: string): Uint8Array | undefined {
  const row = source.read(key);
  if (row instanceof Promise) throw new RangeError('this state does not answer at once');
  return row;
}

/** Opens a state over a source that answers at once: without a journal, for what is tried out once and kept nowhere. */
export function openReadState(source: StateSource): ReadState {
  const accounts = new Map<string, Account | undefined>();
  const state: ReadState = {
    accountAt(address) {
      const known = accounts.get(address);
      if (known !== undefined || accounts.has(address)) return known;
      const row = readNow(source, accountKey(address));
      const found = row === undefined ? undefined : decodeAccount(row);
      accounts.set(address, found);
      return found;
    },
    setAccountAt: (address, account) => void accounts.set(address, account),
    codeAt(address) {
      const account = state.accountAt(address);
      if (account === undefined || equal(account.codeHash, KECCAK256_NULL)) return EMPTY;
      const hash = latin(account.codeHash);
      return shareCode(hash, () => readNow(source, codeKey(hash)) ?? EMPTY);
    },
    slotAt: (address, slot) => readNow(source, slotKey(address, slot)) ?? EMPTY,
  };
  return state;
}
