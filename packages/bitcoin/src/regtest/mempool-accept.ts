import type { Reader } from '@hemid/store';
import { btcFromSats } from '../rpc/bitcoin-amount.ts';
import { checkTransaction, isCoinbase } from '../transaction-check.ts';
import { medianTimePast } from './block-tree.ts';
import type { Chain } from './chain.ts';
import { type Coin, regtestLayout } from './layout.ts';
import { isFinal, isSequenceFinal } from './lock-time.ts';
import { type Mempool, type MempoolEntry, type NewEntry, sum, withAncestors, withDescendants } from './mempool.ts';
import { checkAmounts, coinAges, type Fault, sigopsCost, toBtcText, toCoin, verifyTransaction } from './spending.ts';
import { checkStandard, checkStandardSpends, feeAt, RELAY_FEE_RATE } from './standard.ts';
import { outpointKey, type RegtestTransaction, virtualSize } from './transaction.ts';

/** Why a transaction is not let in, in Core's words. `missing`: an input is unknown or spent. */
export interface Refusal extends Fault {
  missing?: true;
}

/** A transaction that may be let in, and the entries it would push out. */
export interface Acceptance {
  entry: NewEntry;
  replaced: Set<MempoolEntry>;
}

/** What a judgement looks at. */
export interface MempoolContext {
  /** The unspent set at the chain's tip: the store, or a batch that moves it. */
  coins: Reader;
  chain: Chain;
  mempool: Mempool;
  nowSeconds: number;
  /** `relay`: a new one; `return`: from a block taken back, which pays what it pays (Core's bypass_limits). */
  arrival: 'relay' | 'return';
}

/** Unconfirmed relatives a transaction may have, itself counted; sizes in vbytes. */
const LIMITS = { ancestors: 25, ancestorsSize: 101_000, descendants: 25, descendantsSize: 101_000 };
const CARVE_OUT_LIMITS = { ...LIMITS, ancestors: 2, descendants: 26, descendantsSize: 111_000 };
const MAX_REPLACED = 100;

/** Judges a transaction as Core's AcceptToMemoryPool does, changing nothing. */
export function judge(transaction: RegtestTransaction, context: MempoolContext): Acceptance | Refusal {
  const { chain, mempool } = context;
  const { tx } = transaction;
  const tip = chain.tip();
  const place = { height: tip.height + 1, medianTime: medianTimePast(tip) };
  const form = checkForm(transaction);
  if (form !== undefined) return form;
  if (!isFinal(tx, place)) return { reason: 'non-final' };
  const known = mempool.read(transaction.id);
  if (known !== undefined) {
    const same = Buffer.from(known.wtxid).equals(transaction.wtxid);
    return { reason: same ? 'txn-already-in-mempool' : 'txn-same-nonwitness-data-in-mempool' };
  }
  const coins = findCoins(transaction, context);
  if ('reason' in coins) return coins;
  if (!isSequenceFinal(tx, coinAges(coins, tip), place)) return { reason: 'non-BIP68-final' };
  const amounts = checkAmounts(transaction, coins, place.height);
  if ('reason' in amounts) return amounts;
  const sigops = sigopsCost(transaction, coins);
  const spends = checkStandardSpends(transaction, coins, sigops);
  if (spends !== undefined) return { reason: spends };
  const unbroadcast = context.arrival === 'relay';
  const entry = { ...transaction, feeSats: amounts.feeSats, timeSeconds: context.nowSeconds, height: tip.height, unbroadcast };
  const replaced = withDescendants(conflicts(transaction, mempool));
  const limits = context.arrival === 'return' ? undefined : checkLimits(entry, replaced, context);
  return limits ?? verifyTransaction(transaction, coins, 'policy') ?? { entry, replaced };
}

function checkForm(transaction: RegtestTransaction): Refusal | undefined {
  const broken = checkTransaction(transaction.tx);
  if (broken !== undefined) return { reason: broken };
  if (isCoinbase(transaction.tx)) return { reason: 'coinbase' };
  const reason = checkStandard(transaction);
  return reason === undefined ? undefined : { reason };
}

/** Entries that spend what the transaction spends. */
function conflicts({ tx }: RegtestTransaction, mempool: Mempool): Set<MempoolEntry> {
  const found = tx.ins.map(({ hash, index }) => mempool.spender(outpointKey(hash, index)));
  return new Set(found.filter((entry) => entry !== undefined));
}

/** What the inputs spend, in the chain or in the mempool. An unconfirmed coin counts as made in the next block. */
function findCoins({ tx, txid }: RegtestTransaction, { coins: unspent, chain, mempool }: MempoolContext): Coin[] | Refusal {
  const coins: Coin[] = [];
  for (const { hash, index } of tx.ins) {
    const output = mempool.read(outpointKey(hash, index).slice(0, 64))?.tx.outs[index];
    const coin =
      output === undefined ? unspent.get(regtestLayout.coin, { txid: hash, vout: index }) : toCoin(output, chain.tip().height + 1, 'payment');
    if (coin !== undefined) {
      coins.push(coin);
      continue;
    }
    const isMined = [...tx.outs.keys()].some((vout) => unspent.get(regtestLayout.coin, { txid, vout }) !== undefined);
    return isMined ? { reason: 'txn-already-known' } : { reason: 'bad-txns-inputs-missingorspent', missing: true };
  }
  return coins;
}

/** Fee, chain of relatives, and BIP125's rules for a replacement. */
function checkLimits(entry: NewEntry, replaced: Set<MempoolEntry>, { mempool }: MempoolContext): Refusal | undefined {
  const vsize = virtualSize(entry.weight);
  const least = feeAt(RELAY_FEE_RATE, vsize);
  if (entry.feeSats < least) return { reason: 'min relay fee not met', debug: `${entry.feeSats} < ${least}` };
  const parents = entry.tx.ins.map(({ hash }) => mempool.read(outpointKey(hash, 0).slice(0, 64))).filter((parent) => parent !== undefined);
  const ancestors = withAncestors(parents);
  const chained = checkRelatives({ vsize, parents, replaced, limits: LIMITS });
  // Core's carve-out: one small transaction more may hang on a single parent, so that a second party can pay for it.
  const isCarvedOut = vsize <= 10_000 && checkRelatives({ vsize, parents, replaced, limits: CARVE_OUT_LIMITS }) === undefined;
  if (chained !== undefined && !isCarvedOut) return chained;
  const spent = [...ancestors].find((ancestor) => replaced.has(ancestor));
  if (spent !== undefined) return { reason: 'bad-txns-spends-conflicting-tx', debug: `${entry.id} spends conflicting transaction ${spent.id}` };
  return replaced.size === 0 ? undefined : checkReplacement(entry, replaced, mempool);
}

interface RelativesCheck {
  vsize: number;
  parents: readonly MempoolEntry[];
  replaced: Set<MempoolEntry>;
  limits: typeof LIMITS;
}

/** Walks up from the parents and stops at the first limit that would be passed, as Core does. */
function checkRelatives({ vsize, parents, replaced, limits }: RelativesCheck): Refusal | undefined {
  const refuse = (debug: string, limit: number): Refusal => ({ reason: 'too-long-mempool-chain', debug: `${debug} [limit: ${limit}]` });
  const found = new Set(parents);
  let size = vsize;
  if (found.size + 1 > limits.ancestors) return refuse('too many unconfirmed parents', limits.ancestors);
  for (const ancestor of found) {
    size += ancestor.vsize;
    const family = [...withDescendants([ancestor])].filter((entry) => !replaced.has(entry));
    if (sum(family).vsize + vsize > limits.descendantsSize)
      return refuse(`exceeds descendant size limit for tx ${ancestor.id}`, limits.descendantsSize);
    if (family.length + 1 > limits.descendants) return refuse(`too many descendants for tx ${ancestor.id}`, limits.descendants);
    if (size > limits.ancestorsSize) return refuse('exceeds ancestor size limit', limits.ancestorsSize);
    for (const parent of ancestor.parents) found.add(parent);
    if (found.size + 1 > limits.ancestors) return refuse('too many unconfirmed ancestors', limits.ancestors);
  }
  return undefined;
}

/** Full replace-by-fee: no signal is asked for; BIP125's rules 2 to 5 and Core's higher-feerate rule hold. */
function checkReplacement(entry: NewEntry, replaced: Set<MempoolEntry>, mempool: Mempool): Refusal | undefined {
  const vsize = virtualSize(entry.weight);
  const refuse = (debug: string): Refusal => ({ reason: 'insufficient fee', debug: `rejecting replacement ${entry.id}${debug}` });
  const direct = conflicts(entry, mempool);
  for (const old of direct) {
    if (entry.feeSats * BigInt(old.vsize) > old.feeSats * BigInt(vsize)) continue;
    return refuse(`; new feerate ${rate(entry.feeSats, vsize)} <= old feerate ${rate(old.feeSats, old.vsize)}`);
  }
  if (replaced.size > MAX_REPLACED) {
    return {
      reason: 'too many potential replacements',
      debug: `rejecting replacement ${entry.id}; too many potential replacements (${replaced.size} > ${MAX_REPLACED})`,
    };
  }
  const before = sum(replaced).feeSats;
  if (entry.feeSats < before) return refuse(`, less fees than conflicting txs; ${toBtcText(entry.feeSats)} < ${toBtcText(before)}`);
  const extra = entry.feeSats - before;
  const least = feeAt(RELAY_FEE_RATE, vsize);
  if (extra < least) return refuse(`, not enough additional fees to relay; ${toBtcText(extra)} < ${toBtcText(least)}`);
  return undefined;
}

/** A fee rate as Core prints it. */
const rate = (feeSats: bigint, vsize: number): string => `${btcFromSats((feeSats * 1000n) / BigInt(vsize))} BTC/kvB`;
