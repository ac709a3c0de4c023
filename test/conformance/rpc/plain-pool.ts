import { RLP } from '@ethereumjs/rlp';
import type { ChainReader } from '@hemid/chain';
import type { UserTransaction } from '@hemid/hvm';
import { concat, toDigits, toHex } from '@hemid/protocol';
import type { TransactionPool } from '@hemid/rpc';

const BLOB_TYPE = 3;

/** A blob transaction travels with its blobs, which are no part of it (EIP-4844). */
function withoutBlobs(raw: Uint8Array): Uint8Array {
  if (raw[0] !== BLOB_TYPE) return raw;
  const [body] = RLP.decode(raw.subarray(1)) as unknown as (Uint8Array | Uint8Array[])[];
  return Array.isArray(body) ? concat(raw.subarray(0, 1), RLP.encode(body)) : raw;
}

/** Transactions that wait, for RPC to show; none is judged beyond its signature. */
export function createPlainPool(chain: ChainReader): TransactionPool & { waiting(): UserTransaction[] } {
  const known = new Map<string, UserTransaction>();

  function bySender(): Map<string, UserTransaction[]> {
    const senders = new Map<string, UserTransaction[]>();
    for (const transaction of known.values()) {
      const list = senders.get(toHex(transaction.sender)) ?? [];
      senders.set(toHex(transaction.sender), [...list, transaction]);
    }
    return senders;
  }

  return {
    waiting: () => [...known.values()],
    async submit(raw) {
      const transaction = chain.decode(withoutBlobs(raw));
      known.set(toDigits(transaction.hash), transaction);
      return transaction.hash;
    },
    async nonce(address) {
      const mined = (await chain.stateAt(chain.head('latest')).account(address))?.nonce ?? 0n;
      return mined + BigInt(bySender().get(toHex(address))?.length ?? 0);
    },
    read: (hash) => known.get(toDigits(hash)),
    onTransaction: () => () => undefined,
    counts: () => ({ pending: known.size, queued: 0 }),
    content: () => ({ pending: bySender(), queued: new Map() }),
  };
}
