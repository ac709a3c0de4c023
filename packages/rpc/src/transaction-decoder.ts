import type { ChainView } from '@hemid/chain';
import type { UserTransaction } from '@hemid/hvm';
import { hashTransaction, toDigits } from '@hemid/protocol';

/** Decodes user transactions of blocks; recovering a sender is costly, so the latest are remembered. */
export type TransactionDecoder = (raw: Uint8Array) => UserTransaction;

const REMEMBERED = 8192;

/** Creates the {@link TransactionDecoder} of a chain. */
export function createTransactionDecoder(chain: ChainView): TransactionDecoder {
  const known = new Map<string, UserTransaction>();
  return (raw) => {
    const key = toDigits(hashTransaction(raw));
    const found = known.get(key);
    if (found !== undefined) return found;
    const decoded = chain.decode(raw);
    known.set(key, decoded);
    const oldest = known.keys().next().value;
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    return decoded;
  };
}
