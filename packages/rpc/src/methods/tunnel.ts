import type { PlacedL2Header } from '@hemid/chain';
import { fromDisplay, scriptToAddress, toDisplay } from '@hemid/protocol';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { type MethodTable, method } from '../method.ts';
import { count, displayHash } from '../param.ts';
import { recoveryListResult } from '../result/recovery.ts';
import { depositResult, reservesResult, withdrawalResult } from '../result/tunnel.ts';
import { hemiExamples } from './hemi-example.ts';

const nameOf = ({ header, hash }: PlacedL2Header): object => ({ number: header.number, hash });

const addressOf = (script: Uint8Array, { chain }: RpcContext): string | null => scriptToAddress(script, chain.spec.genesis.bitcoin.network) ?? null;

type Withdrawal = NonNullable<Awaited<ReturnType<RpcContext['tunnel']['withdrawal']>>>;

function explain({ status, before, settledBy }: Withdrawal): string {
  if (status === 'settled') return settledBy === undefined ? 'paid' : `paid by Bitcoin transaction ${toDisplay(settledBy)}`;
  const first = before === 0n ? 'the next to be paid' : `${before} requested earlier are paid before it`;
  return status === 'finalized' ? `final, custodians may pay it: ${first}` : `its block is not final yet; ${first}`;
}

type Recoverable = Awaited<ReturnType<RpcContext['tunnel']['recoverable']>>['payments'][number];

function showRecoverable({ txid, status, explanation, outputs, sender, recipient, ...place }: Recoverable, context: RpcContext): object {
  return {
    txid: toDisplay(txid),
    status,
    explanation,
    sats: outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n),
    outputs: outputs.map(({ vout, valueSats, script, spentAt }) => ({
      vout,
      sats: valueSats,
      script,
      address: addressOf(script, context),
      spentAtBitcoinHeight: spentAt ?? null,
    })),
    sender: sender === undefined ? null : { script: sender, address: addressOf(sender, context) },
    recipient: recipient ?? null,
    bitcoin: { height: place.height, blockHash: toDisplay(place.blockHash), confirmations: place.confirmations },
  };
}

/** Bitcoin in and out (protocol section 10). Amounts are satoshis unless they say wei. */
export const tunnel: MethodTable = {
  hemi_getDeposit: method({
    doc: 'What has become of a Bitcoin payment to the vault: unknown, seen (in the mempool), refused (and why), confirming, due, credited, claimable, failed, or spend.',
    result: depositResult,
    example: hemiExamples.hemi_getDeposit,
    params: { txid: displayHash },
    async handle(values, context) {
      const txid = fromDisplay(values.txid);
      const report = await context.tunnel.deposit(txid);
      const { bitcoin, dueAtHeight, deposit, onL2, status, explanation } = report;
      const lightTip = context.chain.viewAt(context.chain.head('latest')).lightTip.height;
      return {
        txid: toDisplay(txid),
        status,
        explanation,
        bitcoin: bitcoin === undefined ? null : { ...bitcoin, blockHash: toDisplay(bitcoin.blockHash) },
        dueAtBitcoinHeight: dueAtHeight ?? null,
        confirmationsLeft: dueAtHeight === undefined ? null : Math.max(0, dueAtHeight - lightTip),
        deposit: deposit === undefined ? null : { sats: deposit.sats, recipient: deposit.recipient, payload: deposit.payload, vout: deposit.vout },
        block: onL2 === undefined ? null : nameOf(onL2.block),
        transactionHash: onL2?.transactionHash ?? null,
      };
    },
  }),
  hemi_getWithdrawal: method({
    doc: 'What has become of a withdrawal, by its id: requested, finalized, or settled and by which Bitcoin transaction.',
    result: withdrawalResult,
    example: hemiExamples.hemi_getWithdrawal,
    params: { id: count },
    async handle(values, context) {
      const report = await context.tunnel.withdrawal(BigInt(values.id));
      if (report === undefined) throw fail('rpc/not-found', `there is no withdrawal ${values.id}: ids count from 1`);
      const { status, request, block, settledBy, before } = report;
      const { sats, feeSats, script } = request;
      return {
        id: request.id,
        status,
        explanation: explain(report),
        sats,
        feeSats,
        paysSats: sats - feeSats,
        script,
        address: addressOf(script, context),
        block: block === undefined ? null : nameOf(block),
        paidBefore: before,
        bitcoinTxid: settledBy === undefined ? null : toDisplay(settledBy),
      };
    },
  }),
  hemi_getRecoveryList: method({
    doc: 'Payments to the vaults that credit nobody, newest first: no deposits (refused, and why), deposits whose credit failed, and outputs that do not count for their deposit (part); for custodians to return or to account for. `from` is a Bitcoin height to look from downwards; `next` is where the list goes on.',
    result: recoveryListResult,
    example: hemiExamples.hemi_getRecoveryList,
    params: { from: count.optional() },
    async handle({ from }, context) {
      const { payments, next } = await context.tunnel.recoverable({ from });
      return { payments: payments.map((payment) => showRecoverable(payment, context)), next: next ?? null };
    },
  }),
  hemi_getReserves: method({
    doc: 'What the vaults hold in Bitcoin against what is owed on L2, and what is wrong with it, if anything.',
    result: reservesResult,
    example: hemiExamples.hemi_getReserves,
    params: {},
    async handle(_, context) {
      const { vaults, isBreached, deficitSats, ...sums } = await context.tunnel.reserves();
      const alarms = [
        ...(isBreached ? ['the vault was spent by no batch: withdrawals stop until an upgrade clears the breach'] : []),
        ...(deficitSats > 0n ? [`the vaults lack ${deficitSats} sats: withdrawals stop until they are there`] : []),
      ];
      return { ...sums, deficitSats, vaults: vaults.map(({ script, sats }) => ({ address: addressOf(script, context), sats })), alarms };
    },
  }),
};
