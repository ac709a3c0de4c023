import { Address } from '@ethereumjs/util';
import type { FlatState } from './flat-state.ts';

/** An account while something runs, or `undefined` when it does not exist. */
export async function readAccount(state: FlatState, address: Uint8Array): Promise<{ nonce: bigint; balance: bigint } | undefined> {
  return state.getAccount(new Address(address));
}

/** The code at an address while something runs. */
export function readCode(state: FlatState, address: Uint8Array): Promise<Uint8Array> {
  return state.getCode(new Address(address));
}

/** A storage slot while something runs, 32 bytes. */
export async function readSlot(state: FlatState, address: Uint8Array, slot: Uint8Array): Promise<Uint8Array> {
  const value = await state.getStorage(new Address(address), slot);
  return Uint8Array.of(...new Uint8Array(32 - value.length), ...value);
}
