import type { PlacedL2Header } from '@hemid/chain';
import { decodeBitcoinHeader, equal, fromKeystoneId, hashKeystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import { z } from 'zod';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { latestKeystones } from '../keystones.ts';
import { type MethodTable, method } from '../method.ts';
import { address, count, displayHash, quantity } from '../param.ts';
import { minerResult, payoutsResult } from '../result/finality.ts';
import { hemiExamples } from './hemi-example.ts';

const keystone = z.union(
  [displayHash.transform((id) => ({ id })), quantity.transform((number) => ({ number }))],
  'must be the abbreviated hash of a keystone, 64 hex digits in display order, or its block number such as "0x19"',
);

/** @throws `rpc/not-found` */
function find(wanted: z.output<typeof keystone>, { chain }: RpcContext): PlacedL2Header {
  const period = BigInt(chain.spec.genesis.keystonePeriod);
  const isKeystone = 'id' in wanted || (wanted.number > 0n && wanted.number % period === 0n);
  if (!isKeystone) throw fail('rpc/not-found', `block ${wanted.number} is not a keystone: every ${period}th block is one`);
  const placed = 'id' in wanted ? chain.keystoneBlock(fromKeystoneId(wanted.id)) : chain.headerAt(wanted.number);
  if (placed === undefined) throw fail('rpc/not-found', 'this keystone is not on the canonical chain, or not built yet');
  return placed;
}

type Report = Awaited<ReturnType<RpcContext['payouts']['report']>>;

const blocks = (count: number): string => `${count} Bitcoin block${count === 1 ? '' : 's'}`;
const shownHeight = (height: number): string => height.toLocaleString('en-US');

/** Bitcoin blocks whose mean spacing is taken for that of the next ones. */
const SPACING_BLOCKS = 144;

/** When Bitcoin will be so many blocks higher, by the spacing of its last ones: `2026-11-20 14:20 UTC`, to the minute. */
function guessTime(ahead: number, { chain, clock }: RpcContext): string {
  const view = chain.viewAt(chain.head('latest'));
  const from = Math.max(view.genesis.height, view.lightTip.height - SPACING_BLOCKS);
  const [first, last] = [from, view.lightTip.height].map((height) => decodeBitcoinHeader(view.ancestor(height)?.header as Uint8Array).time);
  const span = view.lightTip.height - from;
  const spacingSeconds = span === 0 ? 0 : ((last as number) - (first as number)) / span;
  return `${new Date(clock.now() + ahead * spacingSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** What a miner wants to know, in a sentence. */
function explain({ status, standing, tipHeight }: Report, context: RpcContext): string {
  if (status === 'unpublished') return 'not published yet, as far as the head of the chain sees Bitcoin';
  if (status === 'unpayable' || standing === undefined) return 'published, but by nobody who can be paid: no window is open';
  const opened = `published at ${shownHeight(standing.opened)}`;
  if (status === 'paid') return `${opened}, paid`;
  if (status === 'due') return `${opened}, window closed at ${shownHeight(standing.due)}, due in the next keystone block`;
  const left = standing.due - tipHeight;
  return `${opened}, window closes in ${blocks(left)}, due about ${guessTime(left, context)}`;
}

const nameOf = (placed: PlacedL2Header, { chain }: RpcContext): object => ({
  number: placed.header.number,
  hash: placed.hash,
  id: toKeystoneId(hashKeystone(chain.keystone(placed))),
});

/** Keystones that one question about a miner looks at. */
const MAX_KEYSTONES = 200;

/** Proof-of-Proof as its miners see it (protocol section 9). */
export const pop: MethodTable = {
  hemi_getPopPayouts: method({
    doc: 'The reward of a keystone: its window in Bitcoin, who shares it with what, and whether it is open, due or paid.',
    result: payoutsResult,
    example: hemiExamples.hemi_getPopPayouts,
    params: { keystone },
    async handle(values, context) {
      const placed = find(values.keystone, context);
      const report = await context.payouts.report(placed);
      const { standing, status, tipHeight } = report;
      return {
        keystone: nameOf(placed, context),
        status,
        explanation: explain(report, context),
        pool: context.chain.spec.genesis.popPool,
        window: standing === undefined ? null : { opened: standing.opened, closes: standing.due },
        bitcoinHeight: tipHeight,
        payees: (standing?.payees ?? []).map(({ publication, score, amount }) => ({
          miner: publication.miner,
          score,
          amount,
          bitcoinHeight: publication.height,
          bitcoinTxid: toDisplay(publication.txid),
        })),
      };
    },
  }),
  hemi_getPopMiner: method({
    doc: 'What a miner has published among the latest keystones (100 of them, at most 200), what each is worth and whether it is paid.',
    result: minerResult,
    example: hemiExamples.hemi_getPopMiner,
    params: {
      miner: address,
      keystones: count.refine((value) => value <= MAX_KEYSTONES, `must be at most ${MAX_KEYSTONES}`).default(100),
    },
    async handle(values, context) {
      const publications = [];
      const sums = { paid: 0n, pending: 0n };
      for (const placed of latestKeystones(context.chain, values.keystones)) {
        const report = await context.payouts.report(placed);
        const mine = report.standing?.payees.find(({ publication }) => equal(publication.miner, values.miner));
        if (mine === undefined) continue;
        const { publication, score, amount } = mine;
        sums[report.status === 'paid' ? 'paid' : 'pending'] += amount;
        const place = { bitcoinHeight: publication.height, bitcoinTxid: toDisplay(publication.txid) };
        publications.push({
          keystone: nameOf(placed, context),
          status: report.status,
          explanation: explain(report, context),
          score,
          amount,
          ...place,
        });
      }
      return { miner: values.miner, ...sums, publications };
    },
  }),
};
