import type { Common } from '@ethereumjs/common';
import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import { Caches, CacheType, getMerkleStateProof, MerkleStateManager, type Proof } from '@ethereumjs/statemanager';
import { Address, type BatchDBOp, type DB, hexToBytes, ValueEncoding } from '@ethereumjs/util';
import { concat, fromBigEndian, isHemidError, toHex } from '@hemid/protocol';
import { layout, type Reader } from '@hemid/store';
import { fail } from './errors.ts';

/** New trie nodes and code of a block: rows of `layout.trieNode`. */
export type StateNodes = Map<string, Uint8Array>;

/** The state of one block, read-only. */
export interface StateReader {
  readonly root: Uint8Array;
  /** An account, or `undefined` when it does not exist. */
  account(address: Uint8Array): Promise<{ nonce: bigint; balance: bigint } | undefined>;
  code(address: Uint8Array): Promise<Uint8Array>;
  /** A storage slot as 32 bytes. */
  storage(address: Uint8Array, slot: Uint8Array): Promise<Uint8Array>;
  /** EIP-1186 proof of an account and of storage slots. */
  proof(address: Uint8Array, slots: readonly Uint8Array[]): Promise<Proof>;
}

type TrieDb = DB<string, string | Uint8Array>;

const toKey = (key: string | Uint8Array): Uint8Array => (typeof key === 'string' ? hexToBytes(`0x${key}`) : key);

/** The trie's database: reads fall through to the store, writes stay in `nodes` until the block's batch takes them. */
function createTrieDb(reader: Reader, nodes: StateNodes): TrieDb {
  const db: TrieDb = {
    async get(key) {
      return nodes.get(key) ?? reader.get(layout.trieNode, toKey(key));
    },
    async put(key, value) {
      nodes.set(key, value as Uint8Array);
    },
    // The trie asks for deletions of nodes it replaced; other blocks' states still need them.
    async del() {},
    async batch(operations: BatchDBOp<string, string | Uint8Array>[]) {
      for (const operation of operations) if (operation.type === 'put') nodes.set(operation.key, operation.value as Uint8Array);
    },
    shallowCopy: () => db,
    async open() {},
  };
  return db;
}

/** A state that blocks are executed on: @ethereumjs/statemanager over the store's trie nodes. */
export interface WorkingState {
  manager: MerkleStateManager;
  /** What was written since; complete after `manager.flush()`. */
  nodes: StateNodes;
}

const unbounded = { size: 0, type: CacheType.ORDERED_MAP };

/** Opens the state at `root` for reading and writing; nothing reaches the store. */
export async function openState(common: Common, reader: Reader, root?: Uint8Array): Promise<WorkingState> {
  const nodes: StateNodes = new Map();
  const trie = new MerklePatriciaTrie({
    db: createTrieDb(reader, nodes),
    valueEncoding: ValueEncoding.Bytes,
    useKeyHashing: true,
    common,
  });
  const manager = new MerkleStateManager({
    common,
    trie,
    caches: new Caches({ account: unbounded, code: unbounded, storage: unbounded }),
  });
  if (root !== undefined) await setRoot(manager, root);
  return { manager, nodes };
}

async function setRoot(manager: MerkleStateManager, root: Uint8Array): Promise<void> {
  try {
    await manager.setStateRoot(root);
  } catch (cause) {
    if (isHemidError(cause)) throw cause;
    throw fail('hvm/state-missing', `the state ${toHex(root)} is not in the store`, { cause });
  }
}

/** 32 bytes from a storage value without leading zeros. */
function toWord(value: Uint8Array): Uint8Array {
  return concat(new Uint8Array(32 - value.length), value);
}

/** The {@link StateReader} of a root. */
export function createStateReader(common: Common, reader: Reader, root: Uint8Array): StateReader {
  const open = async (): Promise<MerkleStateManager> => (await openState(common, reader, root)).manager;
  return {
    root,
    async account(address) {
      const account = await (await open()).getAccount(new Address(address));
      return account === undefined ? undefined : { nonce: account.nonce, balance: account.balance };
    },
    async code(address) {
      return (await open()).getCode(new Address(address));
    },
    async storage(address, slot) {
      const manager = await open();
      if ((await manager.getAccount(new Address(address))) === undefined) return new Uint8Array(32);
      return toWord(await manager.getStorage(new Address(address), slot));
    },
    async proof(address, slots) {
      return getMerkleStateProof(await open(), new Address(address), [...slots]);
    },
  };
}

/** Writes a 32-byte word to a slot; zero deletes it. */
export async function putWord(manager: MerkleStateManager, write: StorageWrite): Promise<void> {
  const minimal = fromBigEndian(write.value) === 0n ? new Uint8Array() : stripZeros(write.value);
  await manager.putStorage(new Address(write.address), write.slot, minimal);
}

function stripZeros(value: Uint8Array): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0);
  return value.slice(first);
}

/** A storage slot that the executor itself writes (protocol sections 9 and 10). */
export interface StorageWrite {
  address: Uint8Array;
  slot: Uint8Array;
  /** 32 bytes. */
  value: Uint8Array;
}
