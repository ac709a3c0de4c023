import type { Common } from '@ethereumjs/common';
import { createTxFromRLP, type TypedTransaction } from '@ethereumjs/tx';
import { equal } from '@hemid/protocol';
import { refuse } from './refusal.ts';

const KZG_VERSION = '0x01';

/** A transaction of its bytes, as a block or a test states them; anything else is refused. */
export function decodeTransaction(raw: Uint8Array, rules: Common): TypedTransaction {
  let tx: TypedTransaction;
  try {
    tx = createTxFromRLP(raw, { common: rules });
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (!equal(tx.serialize(), raw)) throw refuse('a transaction in another encoding than the canonical one');
  // @ethereumjs/tx reads the version as a decimal number, so that 0x1a passes for 1.
  if ('blobVersionedHashes' in tx && tx.blobVersionedHashes.some((hash) => !hash.startsWith(KZG_VERSION))) {
    throw refuse('a versioned hash of another version');
  }
  return tx;
}
