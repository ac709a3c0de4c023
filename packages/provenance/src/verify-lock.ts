import { type ChainSpec, encodeTunnelTransaction, equal, rulesAt, TUNNEL_ADDRESS, toDeposit, toDepositTransaction } from '@hemid/protocol';
import { verifyInclusion } from './bitcoin-inclusion.ts';
import { logsOf, topicOf } from './consensus-receipt.ts';
import { fail } from './errors.ts';
import { type HeaderRun, placeOf } from './header-run.ts';
import type { BitcoinInclusion } from './proof.ts';
import { type LockLink, showLock } from './provenance.ts';
import { confirmationsSeen } from './verify-anchored.ts';
import type { ProvenHeader, ProvenTransaction } from './verify-blocks.ts';

/** The L2 transaction that is said to credit a deposit. */
export interface Credit {
  spec: ChainSpec;
  block: ProvenHeader;
  shown: ProvenTransaction;
}

const CLAIMABLE = topicOf('DepositClaimable(bytes32,address,uint256)');

/** Checks a deposit and that the block credits it, not earlier than it may; @throws `provenance/lock`. */
export function verifyLock(part: BitcoinInclusion, run: HeaderRun, { spec, block, shown }: Credit): LockLink {
  const refuse = (why: string): Error => fail('provenance/lock', `lock: ${why}`);
  const { number, timestamp } = block.header;
  const { tunnel, bitcoin } = spec.genesis;
  const transaction = verifyInclusion(part, run, 'lock');
  const deposit = part.height > bitcoin.genesisHeight ? toDeposit(transaction, part.height, rulesAt(spec, timestamp)) : undefined;
  if (deposit === undefined) throw refuse('the Bitcoin transaction is no deposit to a vault of this chain');
  if (!equal(encodeTunnelTransaction(toDepositTransaction(deposit)), shown.raw))
    throw refuse(`the transaction of block ${number} does not credit this deposit`);
  if (!shown.receipt.succeeded) throw refuse('the transaction that credits the deposit failed: the deposit is listed for recovery');
  const seen = confirmationsSeen(block, run, part.height);
  if (seen === undefined) throw refuse(`the Bitcoin block that block ${number} is built on is not among the Bitcoin headers`);
  if (seen < tunnel.confirmations)
    throw refuse(`block ${number} credits the deposit after ${seen} confirmations, ${tunnel.confirmations} are needed`);
  const place = placeOf(part.height, run);
  return {
    ...showLock(deposit, { ...place, confirmations: place.confirmations + 1 }),
    credit: logsOf(shown.receipt, { address: TUNNEL_ADDRESS, topic: CLAIMABLE }).length > 0 ? 'claimable' : 'paid',
  };
}
