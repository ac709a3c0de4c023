import { Address } from '@ethereumjs/util';
import type { FlatState } from './flat-state.ts';

/** A storage slot that the executor itself writes (protocol sections 9 and 10). */
export interface StorageWrite {
  address: Uint8Array;
  slot: Uint8Array;
  /** 32 bytes. */
  value: Uint8Array;
}

/** Writes a 32-byte word to a slot; zero deletes it. */
export async function putWord(state: FlatState, { address, slot, value }: StorageWrite): Promise<void> {
  const first = value.findIndex((byte) => byte !== 0);
  await state.putStorage(new Address(address), slot, first === -1 ? new Uint8Array() : value.slice(first));
}
