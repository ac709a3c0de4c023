import type { PlacedL2Header } from '@hemid/chain';
import { equal, fromKeystoneId, hashKeystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import { z } from 'zod';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { latestKeystones } from '../keystones.ts';
import { type MethodTable, method } from '../method.ts';
import { address, count, displayHash, quantity } from '../param.ts';

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

/** What a miner wants to know, in a sentence. */
function explain({ status, standing, tipHeight }: Report): string {
  if (status === 'unpublished') return 'not published yet, as far as the head of the chain sees Bitcoin';
  if (status === 'unpayable' || standing === undefined) return 'published, but by nobody who can be paid: no window is open';
  const opened = `published at ${standing.opened}`;
  if (status === 'open') return `${opened}, window closes in ${blocks(standing.due - tipHeight)}`;
  return status === 'due' ? `${opened}, window closed at ${standing.due}, paid in the next keystone block` : `${opened}, paid`;
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
    params: { keystone },
    async handle(values, context) {
      const placed = find(values.keystone, context);
      const report = await context.payouts.report(placed);
      const { standing, status, tipHeight } = report;
      return {
        keystone: nameOf(placed, context),
        status,
        explanation: explain(report),
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
        publications.push({ keystone: nameOf(placed, context), status: report.status, explanation: explain(report), score, amount, ...place });
      }
      return { miner: values.miner, ...sums, publications };
    },
  }),
};
