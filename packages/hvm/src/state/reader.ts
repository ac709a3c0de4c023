import { RLP } from '@ethereumjs/rlp';
import { KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util';
import { concat, equal, type Hex, toHex } from '@hemid/protocol';
import { decodeAccount } from './account-row.ts';
import { trieKey } from './commit-state.ts';
import { keccak } from './keccak.ts';
import { accountKey, codeKey, latin, slotKey } from './key.ts';
import { type ProofDeps, provePath } from './proof.ts';
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

/** The state of one block, read-only. */
export interface StateReader {
  readonly root: Uint8Array;
  /** An account, or `undefined` when it does not exist. */
  account(address: Uint8Array): Promise<{ nonce: bigint; balance: bigint } | undefined>;
  code(address: Uint8Array): Promise<Uint8Array>;
  /** A storage slot as 32 bytes. */
  storage(address: Uint8Array, slot: Uint8Array): Promise<Uint8Array>;
  /** Proves an account and storage slots, present or absent. */
  proof(address: Uint8Array, slots: readonly Uint8Array[]): Promise<AccountProof>;
}

const EMPTY = new Uint8Array();
const quantity = (value: bigint): Hex => `0x${value.toString(16)}`;

/** The {@link StateReader} of a source; `root` is the state root it belongs to. */
export function createStateReader(source: StateSource, root: Uint8Array): StateReader {
  const account = async (address: Uint8Array) => {
    const row = await source.read(accountKey(latin(address)));
    return row === undefined ? undefined : decodeAccount(row);
  };
  const slotValue = async (address: Uint8Array, slot: Uint8Array): Promise<Uint8Array> =>
    (await source.read(slotKey(latin(address), latin(slot)))) ?? EMPTY;

  return {
    root,
    async account(address) {
      const found = await account(address);
      return found === undefined ? undefined : { nonce: found.nonce, balance: found.balance };
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
      const storage: ProofDeps = {
        source,
        owner: latin(keccak(address)),
        async value(slot) {
          const row = await source.read(slotKey(latin(address), slot));
          return row && RLP.encode(row);
        },
        keyOf: trieKey,
      };
      const accounts: ProofDeps = { source, owner: '', value: async (name) => source.read(accountKey(name)), keyOf: trieKey };
      const storageProof = [];
      for (const slot of slots) {
        const value = found === undefined ? EMPTY : await slotValue(address, slot);
        const proof = found === undefined ? [] : await provePath(storage, trieKey(latin(slot)));
        storageProof.push({ key: toHex(slot), value: value.length === 0 ? ('0x0' as Hex) : toHex(value), proof: proof.map(toHex) });
      }
      const accountProof = await provePath(accounts, trieKey(latin(address)));
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
