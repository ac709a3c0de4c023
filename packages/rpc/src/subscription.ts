import { isKeystone } from '@hemid/chain';
import { hashKeystone, toDigits } from '@hemid/protocol';
import { z } from 'zod';
import { showHeader } from './block-shape.ts';
import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { showHeads } from './heads.ts';
import { logQuery, matchesLive } from './log-filter.ts';
import { showLog } from './log-shape.ts';
import { checkResult, type MethodTable, method } from './method.ts';
import { payoutsIn } from './payouts.ts';
import { headerResult } from './result/block.ts';
import { progressResult } from './result/chain.ts';
import { headsResult, payoutNotice } from './result/finality.ts';
import { logResult } from './result/receipt.ts';
import { hexHash, hexQuantity } from './result/scalar.ts';
import { transactionResult } from './result/transaction.ts';
import { showUserTransaction } from './transaction-shape.ts';
import { toWire } from './wire.ts';

/** A row of a subscription table: what `<namespace>_subscribe(kind, options)` begins. */
export interface SubscriptionKind<O extends z.ZodType = z.ZodType> {
  /** One sentence for the documentation. */
  doc: string;
  /** The form of what it notifies of, as for a method. */
  result: z.ZodType;
  options: O;
  /** @returns what ends it. */
  start(options: z.output<O>, context: RpcContext, notify: (result: unknown) => void): () => void;
}

const kind = <O extends z.ZodType>(row: SubscriptionKind<O>): SubscriptionKind => row as unknown as SubscriptionKind;

/** Kinds of `eth_subscribe`. */
export const ethSubscriptions: Record<string, SubscriptionKind> = {
  newHeads: kind({
    doc: 'The header of each block that becomes canonical.',
    result: headerResult,
    options: z.unknown(),
    start: (_options, { feed }, notify) => feed.onBlock((block) => notify(showHeader(block))),
  }),
  logs: kind({
    doc: 'Each new log that matches; with `removed: true` when a reorg takes it back.',
    result: logResult,
    options: logQuery.optional(),
    start: (options, { feed }, notify) =>
      feed.onLogs((logs) => {
        for (const placed of logs) {
          if (options === undefined || matchesLive(options, placed.log, placed.block.header.number)) notify(showLog(placed));
        }
      }),
  }),
  newPendingTransactions: kind({
    doc: 'The hash of each transaction that the pool takes; the whole transaction with `true`.',
    result: z.union([hexHash, transactionResult]),
    options: z.boolean().default(false),
    start: (full, { feed }, notify) => feed.onTransaction((transaction) => notify(full ? showUserTransaction(transaction) : transaction.hash)),
  }),
  syncing: kind({
    doc: 'The progress of the node when it begins to catch up, or does so now; false when it is at the head again.',
    result: z.union([z.literal(false), z.strictObject({ syncing: z.literal(true), status: progressResult })]),
    options: z.unknown(),
    start(_options, { feed, status }, notify) {
      let isSyncing = false;
      function look(): void {
        const progress = status.syncing();
        const wasSyncing = isSyncing;
        isSyncing = progress !== false;
        if (isSyncing !== wasSyncing) notify(progress === false ? false : { syncing: true, status: progress });
      }
      look();
      return feed.onBlock(look);
    },
  }),
};

/** Kinds of `kss_subscribe` (protocol section 12). */
export const kssSubscriptions: Record<string, SubscriptionKind> = {
  newKeystones: kind({
    doc: 'A line of text whenever a keystone block becomes canonical; the keystone is then asked for.',
    result: z.string(),
    options: z.unknown(),
    start: (_options, { feed, chain }, notify) =>
      feed.onBlock((block) => {
        // The public miner expects this text and reads nothing from it; the hash is in internal order there.
        if (isKeystone(chain.spec, block.header.number)) notify(`New Keystone Available: ${toDigits(hashKeystone(chain.keystone(block)))}`);
      }),
  }),
};

/** Kinds of `hemi_subscribe`. */
export const hemiSubscriptions: Record<string, SubscriptionKind> = {
  finality: kind({
    doc: 'The heads and what made them so, whenever safe or finalized moves, forwards or, after a reorg of Bitcoin or here, back.',
    result: headsResult,
    options: z.unknown(),
    start: (_options, { feed, chain, finality }, notify) => feed.onLabels(() => notify(showHeads(chain, finality))),
  }),
  payouts: kind({
    doc: 'Each PoP reward that a block pays; with `removed: true` when a reorg takes it back.',
    result: payoutNotice,
    options: z.unknown(),
    start: (_options, { feed, chain }, notify) =>
      feed.onChange(({ removed, added }) => {
        for (const block of [...removed].reverse()) for (const payout of payoutsIn(chain, block)) notify({ ...payout, removed: true });
        for (const block of added) for (const payout of payoutsIn(chain, block)) notify({ ...payout, removed: false });
      }),
  }),
};

/** The id of a subscription, in examples. */
const SOME_ID = '0x9cef478923ff08bf67fde6c64013158d';

function readOptions(row: SubscriptionKind, options: unknown): unknown {
  const parsed = row.options.safeParse(options);
  if (parsed.success) return parsed.data;
  throw fail('rpc/invalid-params', `invalid argument 1 (options): ${parsed.error.issues[0]?.message}`);
}

/** The methods `<namespace>_subscribe` and `<namespace>_unsubscribe` over a table of kinds. */
export function createSubscriptionMethods(namespace: string, kinds: Record<string, SubscriptionKind>): MethodTable {
  return {
    [`${namespace}_subscribe`]: method({
      doc: `Begins a subscription, over a websocket only: ${Object.keys(kinds).join(', ')}.`,
      result: hexQuantity,
      example: { params: Object.keys(kinds).slice(0, 1), result: SOME_ID },
      params: { kind: z.string('must be the name of a subscription'), options: z.unknown() },
      handle(values, context) {
        if (context.session === undefined) throw fail('rpc/method-not-found', 'notifications not supported: subscribe over a websocket');
        const row = Object.hasOwn(kinds, values.kind) ? kinds[values.kind] : undefined;
        if (row === undefined) throw fail('rpc/method-not-found', `no "${values.kind}" subscription in ${namespace} namespace`);
        const options = readOptions(row, values.options);
        return context.session.open(namespace, (notify) =>
          row.start(options, context, (result) => {
            if (context.limits.checksAnswers) checkResult(row, toWire(result));
            notify(result);
          }),
        );
      },
    }),
    [`${namespace}_unsubscribe`]: method({
      doc: 'Ends a subscription of this connection.',
      result: z.literal(true),
      example: { params: [SOME_ID], result: true },
      params: { subscription: z.string('must be the id of a subscription') },
      handle({ subscription }, { session }) {
        if (session?.close(subscription) === true) return true;
        throw fail('rpc/not-found', 'subscription not found');
      },
    }),
  };
}
