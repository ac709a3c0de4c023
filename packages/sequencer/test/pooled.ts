import { concat, toBigEndian, toHex } from '@hemid/protocol';
import type { Pooled } from '../src/pool-account.ts';

export interface PooledRequest {
  sender: number;
  nonce: number;
  tip: number;
  cap: number;
  /** Also makes its hash. */
  arrival: number;
  /** Length of the raw transaction. */
  bytes?: number;
}

/** A transaction in the pool that nobody has signed: the book looks at nothing but its price and its place. */
export function pooledOf({ sender, nonce, tip, cap, arrival, bytes = 100 }: PooledRequest): Pooled {
  const hash = concat(new Uint8Array(24), toBigEndian(arrival, 8));
  const address = concat(new Uint8Array(16), toBigEndian(sender, 4));
  const price = { tip: BigInt(tip), cap: BigInt(cap) };
  return {
    transaction: { raw: new Uint8Array(bytes), hash, sender: address, tx: undefined as never },
    key: toHex(hash),
    sender: toHex(address),
    nonce: BigInt(nonce),
    ...price,
    slack: price.cap - price.tip,
    arrival,
    byPrice: -1,
    bySlack: -1,
    queuedMs: 0,
    worth: price,
  };
}
