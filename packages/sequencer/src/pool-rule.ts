import { maximumCost, type UserTransaction } from '@hemid/hvm';
import { fail } from './errors.ts';
import type { Priced } from './fee-order.ts';

/** Most bytes of one transaction (as geth has it). */
const MAX_SIZE = 131_072;
/** Percent by which a replacement must raise both fees. */
const PRICE_BUMP = 10n;

/** What the state of the head says of a sender. */
export interface SenderState {
  nonce: bigint;
  balance: bigint;
}

/** @throws `pool/rejected` when the bytes are more than a transaction may have. */
export function checkSize({ length }: Uint8Array): void {
  if (length > MAX_SIZE) throw fail('pool/rejected', `oversized data: transaction size ${length}, limit ${MAX_SIZE}`);
}

/** @throws `pool/rejected` when no block can take the transaction, whatever comes before it. */
export function checkSender({ tx }: UserTransaction, { nonce, balance }: SenderState, blockGasLimit: bigint): void {
  if (tx.gasLimit > blockGasLimit) throw fail('pool/rejected', 'exceeds block gas limit');
  if (tx.nonce < nonce) throw fail('pool/rejected', `nonce too low: next nonce ${nonce}, tx nonce ${tx.nonce}`);
  const cost = maximumCost(tx);
  if (cost <= balance) return;
  throw fail('pool/rejected', `insufficient funds for gas * price + value: balance ${balance}, tx cost ${cost}, overshot ${cost - balance}`);
}

const isRaised = (old: bigint, next: bigint): boolean => next > old && next >= (old * (100n + PRICE_BUMP)) / 100n;

/** @throws `pool/underpriced` when a replacement does not raise both fees enough. */
export function checkReplacement(old: Priced, next: Priced): void {
  if (isRaised(old.cap, next.cap) && isRaised(old.tip, next.tip)) return;
  throw fail('pool/underpriced', 'replacement transaction underpriced');
}
