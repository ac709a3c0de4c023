import { RLP } from '@ethereumjs/rlp';
import { type Account, KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util';
import { concat, equal, type Hex, toHex } from '@hemid/protocol';
import { decodeAccount } from './account-row.ts';
import { trieKey } from './commit-state.ts';
import { keccak } from './keccak.ts';
import { accountKey, codeKey, latin, type StateKey, slotKey } from './key.ts';
import { type ProvedTrie, provePath, type RowWalk } from './proof.ts';
import type { StateSource } from './source.ts';

/** An EIP-1186 proof. */
export interface AccountProof {
  address: Hex;
  balance: Hex;
  codeHash: Hex;
  nonce: Hex;
  storageHash: Hex;
  /** RLP of the nodes from the root down. */
  accountProof: Hex[];
  storageProof: { key: Hex; value: Hex; proof: Hex[] }[];
}

/** What an account has. */
export interface Holdings {
  nonce: bigint;
  /** Wei. */
  balance: bigint;
}

/** The state of one block, read-only. */
export interface StateReader {
  readonly root: Uint8Array;
  /** An account, or `undefined` when it does not exist; at once where the source answers at once. */
  account(address: Uint8Array): Holdings | undefined | Promise<Holdings | undefined>;
  code(address: Uint8Array): Promise<Uint8Array>;
  /** A storage slot as 32 bytes. */
  storage(address: Uint8Array, slot: Uint8Array): Promise<Uint8Array>;
  /** Proves an account and storage slots, present or absent. */
  proof(address: Uint8Array, slots: readonly Uint8Array[]): Promise<AccountProof>;
}

const EMPTY = new Uint8Array();
const holdingsOf = (account: Account | undefined): Holdings | undefined => account && { nonce: account.nonce, balance: account.balance };
const quantity = (value: bigint): Hex => `0x${value.toString(16)}`;

const ACCOUNT_TRIE: ProvedTrie = { owner: '', rowOf: accountKey, leafOf: (row) => row, keyOf: trieKey };

const storageTrie = (address: Uint8Array): ProvedTrie => ({
  owner: latin(keccak(address)),
  rowOf: (slot) => slotKey(latin(address), slot),
  leafOf: (row) => RLP.encode(row),
  keyOf: trieKey,
});

async function readLater<T>(walk: RowWalk<T>, source: StateSource): Promise<T> {
  let step = walk.next();
  while (step.done !== true) step = walk.next(await source.read(step.value));
  return step.value;
}

function readAtOnce<T>(walk: RowWalk<T>, read: (key: StateKey) => Uint8Array | undefined): T {
  let step = walk.next();
  while (step.done !== true) step = walk.next(read(step.value));
  return step.value;
}

/** The stored trie nodes that lead to an account, and to slots of its storage, in a state that answers at once. */
export function proveAtOnce(
  read: (key: StateKey) => Uint8Array | undefined,
  address: Uint8Array,
  slots: readonly Uint8Array[],
): { account: Uint8Array[]; slots: Uint8Array[][] } {
  const storage = storageTrie(address);
  return {
    account: readAtOnce(provePath(ACCOUNT_TRIE, trieKey(latin(address))), read),
    slots: slots.map((slot) => readAtOnce(provePath(storage, trieKey(latin(slot))), read)),
  };
}

/** The {@link StateReader} of a source; `root` is the state root it belongs to. */
export function createStateReader(source: StateSource, root: Uint8Array): StateReader {
  const decode = (row: Uint8Array | undefined): Account | undefined => (row === undefined ? undefined : decodeAccount(row));
  const account = (address: Uint8Array): Account | undefined | Promise<Account | undefined> => {
    const row = source.read(accountKey(latin(address)));
    return row instanceof Promise ? row.then(decode) : decode(row);
  };
  const slotValue = async (address: Uint8Array, slot: Uint8Array): Promise<Uint8Array> =>
    (await source.read(slotKey(latin(address), latin(slot)))) ?? EMPTY;

  return {
    root,
    account(address) {
      const found = account(address);
      return found instanceof Promise ? found.then(holdingsOf) : holdingsOf(found);
    },
    async code(address) {
      const found = await account(address);
      if (found === undefined || equal(found.codeHash, KECCAK256_NULL)) return EMPTY;
      return (await source.read(codeKey(latin(found.codeHash)))) ?? EMPTY;
    },
    async storage(address, slot) {
      const value = await slotValue(address, slot);
      return concat(new Uint8Array(32 - value.length), value);
    },
    async proof(address, slots) {
      const found = await account(address);
      const storage = storageTrie(address);
      const storageProof = [];
      for (const slot of slots) {
        const value = found === undefined ? EMPTY : await slotValue(address, slot);
        const proof = found === undefined ? [] : await readLater(provePath(storage, trieKey(latin(slot))), source);
        storageProof.push({ key: toHex(slot), value: value.length === 0 ? ('0x0' as Hex) : toHex(value), proof: proof.map(toHex) });
      }
      const accountProof = await readLater(provePath(ACCOUNT_TRIE, trieKey(latin(address))), source);
      return {
        address: toHex(address),
        balance: quantity(found?.balance ?? 0n),
        codeHash: toHex(found?.codeHash ?? KECCAK256_NULL),
        nonce: quantity(found?.nonce ?? 0n),
        storageHash: toHex(found?.storageRoot ?? KECCAK256_RLP),
        accountProof: accountProof.map(toHex),
        storageProof,
      };
    },
  };
}
