import {
  type BitcoinTransaction,
  decodeTunnelTransaction,
  displayBytes,
  encodeTunnelTransaction,
  equal,
  hashPayments,
  readMark,
  readTunnelTransaction,
  TUNNEL_ADDRESS,
  TUNNEL_TYPE,
  toBigEndian,
  toSpendTransaction,
} from '@hemid/protocol';
import { verifyInclusion } from './bitcoin-inclusion.ts';
import { logsOf, topicOf } from './consensus-receipt.ts';
import { fail } from './errors.ts';
import { type HeaderRun, placeOf } from './header-run.ts';
import type { BitcoinInclusion, WithdrawalPart } from './proof.ts';
import { type AnchoredLinks, type PaymentLink, showPayment, showRequest, type WithdrawalLink } from './provenance.ts';
import { type AnchorTerms, confirmationsSeen, type ProvenAnchored, verifyAnchored } from './verify-anchored.ts';
import { decode, type ProvenTransaction } from './verify-blocks.ts';
import { readRequests, type WithdrawalRequest } from './withdrawal-request.ts';

const SETTLED = topicOf('Settled(bytes32,uint64,uint16,uint64)');

/** The request with an id that a transaction makes; @throws `provenance/request`. */
function verifyRequest(id: bigint, { succeeded, logs }: ProvenTransaction['receipt']): WithdrawalRequest {
  const request = succeeded ? decode(() => readRequests({ logs })).find((one) => one.id === id) : undefined;
  if (request === undefined) throw fail('provenance/request', `request: the transaction does not request withdrawal ${id}`);
  return request;
}

/** Checks that a batch in Bitcoin pays a request, whole and to its script; @throws `provenance/payment`. */
function verifyPayment(
  part: BitcoinInclusion,
  run: HeaderRun,
  { id, sats, feeSats, script }: WithdrawalRequest,
): { transaction: BitcoinTransaction; batch: { firstId: bigint; count: number }; vout: number } {
  const refuse = (why: string): Error => fail('provenance/payment', `payment: ${why}`);
  const transaction = verifyInclusion(part, run, 'payment');
  const batch = readMark(transaction.outputs);
  if (batch === undefined || id < batch.firstId || id >= batch.firstId + BigInt(batch.count)) {
    throw refuse(`the Bitcoin transaction is no batch that pays withdrawal ${id}`);
  }
  const vout = Number(id - batch.firstId);
  const output = transaction.outputs[vout];
  if (output?.valueSats !== sats - feeSats || !equal(output.script, script)) {
    throw refuse(`output ${vout} does not pay ${sats - feeSats} sats to the script that withdrawal ${id} names`);
  }
  return { transaction, batch, vout };
}

/** Checks that an L2 block settles a batch, not earlier than it may; @throws `provenance/settlement`. */
function verifySettlement(
  { block, shown }: ProvenAnchored,
  run: HeaderRun,
  { terms, payment, height }: { terms: AnchorTerms; payment: ReturnType<typeof verifyPayment>; height: number },
): void {
  const refuse = (why: string): Error => fail('provenance/settlement', `settlement: ${why}`);
  const { transaction, batch } = payment;
  const { number } = block.header;
  const told = shown?.raw[0] === TUNNEL_TYPE ? decode(() => readTunnelTransaction(decodeTunnelTransaction(shown.raw))) : undefined;
  const spend = told !== undefined && 'spend' in told ? told.spend : undefined;
  const expected = spend && {
    txid: transaction.txid,
    ...batch,
    netSats: spend.netSats,
    outputsHash: hashPayments(transaction.outputs.slice(0, batch.count)),
  };
  if (shown === undefined || expected === undefined || !equal(encodeTunnelTransaction(toSpendTransaction(expected)), shown.raw)) {
    throw refuse(`the transaction of block ${number} is not about this payment`);
  }
  const settles = logsOf(shown.receipt, { address: TUNNEL_ADDRESS, topic: SETTLED }).some(
    ({ topics: [, txid, firstId] }) =>
      txid && equal(txid, displayBytes(transaction.txid)) && firstId && equal(firstId, toBigEndian(batch.firstId, 32)),
  );
  if (!shown.receipt.succeeded || !settles) throw refuse(`the transaction of block ${number} settles nothing`);
  const seen = confirmationsSeen(block, run, height);
  if (seen === undefined) throw refuse(`the Bitcoin block that block ${number} is built on is not among the Bitcoin headers`);
  const { confirmations } = terms.spec.genesis.tunnel;
  if (seen < confirmations) throw refuse(`block ${number} settles the payment after ${seen} confirmations, ${confirmations} are needed`);
}

/**
 * Checks what follows on a request to withdraw: the payment in Bitcoin, and the L2 block that settles it.
 *
 * @param request the block with the request, already checked.
 * @throws `provenance/request`, `…/payment`, `…/settlement`, and for the settling block what {@link verifyAnchored} throws.
 */
export function verifyWithdrawal(
  part: WithdrawalPart,
  run: HeaderRun,
  { terms, request }: { terms: AnchorTerms; request: ProvenAnchored & { shown: ProvenTransaction } },
): { withdrawal: WithdrawalLink; payment: PaymentLink; settlement: AnchoredLinks } {
  const { height } = part.payment;
  const asked = verifyRequest(BigInt(part.id), request.shown.receipt);
  const payment = verifyPayment(part.payment, run, asked);
  const settled = verifyAnchored(part.settlement, run, terms);
  verifySettlement(settled, run, { terms, payment, height });
  const place = placeOf(height, run);
  return {
    withdrawal: showRequest(asked, terms.spec),
    payment: showPayment(asked, {
      txid: payment.transaction.txid,
      vout: payment.vout,
      place: { ...place, confirmations: place.confirmations + 1 },
      anchorHeight: request.links.anchor.height,
    }),
    settlement: settled.links,
  };
}
