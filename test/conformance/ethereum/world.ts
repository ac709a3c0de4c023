import type { Common } from '@ethereumjs/common';
import { Account, Address } from '@ethereumjs/util';
import { type BaseState, commitState, type FlatState, openFlatState } from '@hemid/hvm';
import { fromHex } from '@hemid/protocol';

/** Accounts as the tests write them. */
export type Allocation = Record<string, { nonce: string; balance: string; code: string; storage: Record<string, string> }>;

/** A state in memory: rows that blocks change. */
export interface World {
  root(): Uint8Array;
  /** The rows, to read. */
  readonly base: BaseState;
  /** The root that a state would have, which stays as it is. */
  rootOf(state: FlatState): Promise<Uint8Array>;
  open(rules: Common): FlatState;
  /** Takes over what a state changed; @returns the root. */
  commit(state: FlatState): Promise<Uint8Array>;
  /** A copy that changes on its own. */
  fork(): World;
  /** Accounts, slots and trie nodes by key; code is left out, since it stays when its account goes. */
  rows(): Map<string, Uint8Array>;
}

const minimal = (text: string): Uint8Array => {
  const bytes = fromHex(text.length % 2 === 0 ? text : `0x0${text.slice(2)}`);
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? new Uint8Array() : bytes.slice(first);
};
const word = (text: string): Uint8Array => {
  const bytes = minimal(text);
  const padded = new Uint8Array(32);
  padded.set(bytes, 32 - bytes.length);
  return padded;
};

function worldOf(rows: Map<string, Uint8Array>, root: Uint8Array): World {
  let current = root;
  const base: BaseState = {
    read: (key) => rows.get(key),
    async *keys(prefix) {
      for (const key of [...rows.keys()]) if (key.startsWith(prefix)) yield key;
    },
  };
  const rootOf = async (state: FlatState): Promise<Uint8Array> => (await commitState(state, base)).root;
  return {
    root: () => current,
    base,
    rootOf,
    open(rules) {
      const state = openFlatState(rules, base);
      // The VM asks for it before Byzantium, where receipts state it.
      return Object.assign(state, { getStateRoot: () => rootOf(state) });
    },
    async commit(state) {
      const { root: next, diff } = await commitState(state, base);
      for (const [key, value] of diff) {
        if (value === undefined) rows.delete(key);
        else rows.set(key, value);
      }
      current = new Uint8Array(next);
      return current;
    },
    fork: () => worldOf(new Map(rows), current),
    rows: () => new Map([...rows].filter(([key]) => !key.startsWith('c'))),
  };
}

/** A world with these accounts. */
export async function createWorld(rules: Common, allocation: Allocation): Promise<World> {
  const world = worldOf(new Map(), new Uint8Array(32));
  const state = world.open(rules);
  for (const [hex, { nonce, balance, code, storage }] of Object.entries(allocation)) {
    const address = new Address(fromHex(hex));
    await state.putAccount(address, new Account(BigInt(nonce), BigInt(balance)));
    if (code !== '0x') await state.putCode(address, fromHex(code));
    for (const [slot, value] of Object.entries(storage)) await state.putStorage(address, word(slot), minimal(value));
  }
  await world.commit(state);
  return world;
}
