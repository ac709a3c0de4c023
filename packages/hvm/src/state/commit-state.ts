import { KECCAK256_RLP } from '@ethereumjs/util';
import { DEAD_ADDRESS, equal } from '@hemid/protocol';
import { allocate } from '@hemid/store';
import { copyAccount, decodeAccount, encodeAccount } from './account-row.ts';
import type { FlatState, Touched } from './flat-state.ts';
import { keccak } from './keccak.ts';
import { accountKey, codeKey, fromLatin, latin, nodePrefix, type StateKey, slotKey } from './key.ts';
import type { BaseState, StateChanges, StateDiff } from './source.ts';
import { openTrie, type Trie } from './trie.ts';

/** A state as rows: its root, and what differs from the state it was opened on. */
export interface CommittedState extends StateChanges {
  root: Uint8Array;
  /** How much more wei all accounts hold together, the dead address aside (protocol section 10, Accounting). */
  supplyChange: bigint;
}

const DEAD = latin(DEAD_ADDRESS);

const KEYS = new Map<string, string>();
const MAX_KEYS = 200_000;

/** The key in its trie of an address or slot (latin1): its keccak256 as hex digits. The same ones come again in every block. */
export function trieKey(name: string): string {
  const known = KEYS.get(name);
  if (known !== undefined) return known;
  if (KEYS.size >= MAX_KEYS) KEYS.clear();
  const { buffer, byteOffset, length } = keccak(fromLatin(name));
  const key = Buffer.from(buffer, byteOffset, length).toString('hex');
  KEYS.set(name, key);
  return key;
}

/** What the storage trie of an address goes by: its keccak256, latin1. */
const ownerOf = (address: string): string => Buffer.from(trieKey(address), 'hex').toString('latin1');

/** RLP of a storage value: at most 32 bytes. */
function encodeValue(value: Uint8Array): Uint8Array {
  if (value.length === 1 && (value[0] as number) < 0x80) return value;
  const out = allocate(1 + value.length);
  out[0] = 0x80 + value.length;
  out.set(value, 1);
  return out;
}

/** Rows of an account's storage from before, when all of it is gone. */
async function dropStorage(base: BaseState, address: string, owner: string, diff: StateDiff): Promise<void> {
  for (const prefix of [slotKey(address, ''), nodePrefix(owner)]) {
    for await (const key of base.keys(prefix)) diff.set(key, undefined);
  }
}

/** Accounts or slots between two pauses. */
const TURN = 256;

/** A large trie is hashed by the first two digits of its keys. */
const PARTS = 256;
/** Accounts or slots whose nodes are hashed between two pauses. */
const HASHED_A_TURN = 128;

/** Lets other work have its turn. */
type Pause = () => Promise<void>;

/** Takes the root of a trie in which `changes` keys were changed, in parts when they are many. */
async function takeRoot(trie: Trie, changes: number, diff: StateDiff, pause: Pause): Promise<Uint8Array> {
  const write = (key: StateKey, value: Uint8Array | undefined): void => void diff.set(key, value);
  const partsPerTurn = Math.ceil((HASHED_A_TURN * PARTS) / changes);
  const parts = changes < TURN ? 0 : PARTS;
  for (let part = 0; part < parts; part += 1) {
    trie.settle(part.toString(16).padStart(2, '0'), write);
    if (part % partsPerTurn === partsPerTurn - 1) await pause();
  }
  return trie.commit(write);
}

interface StorageChange {
  address: string;
  touched: Touched;
  /** Its storage root before. */
  before: Uint8Array;
}

function openStorageTrie(base: BaseState, { address, isCleared }: { address: string; isCleared: boolean }): Trie {
  function value(slot: string): Uint8Array | undefined {
    const row = base.read(slotKey(address, slot));
    return row && encodeValue(row);
  }
  return openTrie(ownerOf(address), { read: (key) => base.read(key), value, keyOf: trieKey }, isCleared);
}

/** Puts an account's changed slots into the diff and its storage trie; @returns the storage root. */
async function commitStorage(base: BaseState, { address, touched, before }: StorageChange, diff: StateDiff, pause: Pause): Promise<Uint8Array> {
  const slots = touched.storage.get(address);
  const isCleared = touched.cleared.has(address);
  if (isCleared && !equal(before, KECCAK256_RLP)) await dropStorage(base, address, ownerOf(address), diff);
  if (slots === undefined || slots.size === 0) return isCleared ? KECCAK256_RLP : before;
  let trie: Trie | undefined;
  let done = 0;
  for (const [slot, value] of slots) {
    done += 1;
    if (done % TURN === 0) await pause();
    const key = slotKey(address, slot);
    const old = isCleared ? undefined : base.read(key);
    if (old === undefined ? value.length === 0 : equal(old, value)) continue;
    trie ??= openStorageTrie(base, { address, isCleared });
    if (value.length === 0) {
      diff.set(key, undefined);
      trie.del(slot);
    } else {
      diff.set(key, value);
      if (old === undefined) trie.put(slot, encodeValue(value));
      else trie.replace(slot, encodeValue(value));
    }
  }
  if (trie === undefined) return isCleared ? KECCAK256_RLP : before;
  return takeRoot(trie, done, diff, pause);
}

const goOn: Pause = async () => undefined;

/** Takes the root of a state, each changed node hashed once, and says which rows changed. */
export async function commitState(state: FlatState, from: BaseState, pause: Pause = goOn): Promise<CommittedState> {
  const touched = state.touched();
  const diff: StateDiff = new Map();
  const before: StateDiff = new Map();
  function read(key: StateKey): Uint8Array | undefined {
    const row = from.read(key);
    before.set(key, row);
    return row;
  }
  const base: BaseState = { read, keys: from.keys };
  const trie = openTrie('', { read, value: (address) => read(accountKey(address)), keyOf: trieKey });
  for (const [hash, bytes] of touched.code) if (base.read(codeKey(hash)) === undefined) diff.set(codeKey(hash), bytes);
  let done = 0;
  let supplyChange = 0n;
  for (const [address, account] of touched.accounts) {
    done += 1;
    if (done % TURN === 0) await pause();
    const key = accountKey(address);
    const row = touched.rows.has(address) ? touched.rows.get(address) : from.read(key);
    const old = row === undefined ? undefined : decodeAccount(row);
    before.set(key, row);
    if (address !== DEAD) supplyChange += (account?.balance ?? 0n) - (old?.balance ?? 0n);
    if (account === undefined) {
      if (old === undefined) continue;
      if (!equal(old.storageRoot, KECCAK256_RLP)) await dropStorage(base, address, ownerOf(address), diff);
      diff.set(key, undefined);
      trie.del(address);
      continue;
    }
    const next = copyAccount(account);
    const storage = { address, touched, before: old?.storageRoot ?? KECCAK256_RLP };
    const isTouched = touched.storage.has(address) || touched.cleared.has(address);
    next.storageRoot = isTouched ? await commitStorage(base, storage, diff, pause) : storage.before;
    const bytes = encodeAccount(next);
    if (row !== undefined && equal(row, bytes)) continue;
    diff.set(key, bytes);
    if (row === undefined) trie.put(address, bytes);
    else trie.replace(address, bytes);
  }
  return { root: await takeRoot(trie, done, diff, pause), diff, before, supplyChange };
}
