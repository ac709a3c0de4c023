import type { Reader } from '@hemid/store';
import { medianTimePast } from './block-tree.ts';
import type { Chain } from './chain.ts';
import { checkAmounts, coinAges, sigopsCost, toCoin, verifyTransaction } from './coins.ts';
import { type Coin, regtestLayout } from './layout.ts';
import { type Mempool, type MempoolEntry, type NewEntry, sum, withAncestors, withDescendants } from './mempool.ts';
import { checkStandard, checkStandardSpends, feeAt, RELAY_FEE_RATE } from './standard.ts';
import { checkTransaction, isCoinbase, isFinal, isSequenceFinal } from './transaction-check.ts';
import { outpointKey, type RegtestTransaction, virtualSize } from './transaction.ts';

/** Why a transaction is not let in, in Core's words. `missing`: an input is unknown or spent. */
export interface Refusal {
  reason: string;
  debug?: string;
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

const MAX_RELATIVES = 25;
const MAX_RELATIVES_SIZE = 101_000;
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
  const entry = { ...transaction, feeSats: amounts.feeSats, timeSeconds: context.nowSeconds, height: tip.height };
  const replaced = withDescendants(conflicts(transaction, mempool));
  const limits = context.arrival === 'return' ? undefined : checkLimits(entry, replaced, context);
  return limits ?? verifyTransaction(transaction, coins, 'policy') ?? { entry, replaced };
}

function checkForm(transaction: RegtestTransaction): Refusal | undefined {
  const broken = checkTransaction(transaction);
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
    const coin = output === undefined ? unspent.get(regtestLayout.coin, { txid: hash, vout: index }) : toCoin(output, chain.tip().height + 1, 'payment');
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
  const chained = checkRelatives(vsize, ancestors, replaced);
  if (chained !== undefined) return chained;
  const spent = [...ancestors].find((ancestor) => replaced.has(ancestor));
  if (spent !== undefined) return { reason: 'bad-txns-spends-conflicting-tx', debug: `${entry.id} spends conflicting transaction ${spent.id}` };
  return replaced.size === 0 ? undefined : checkReplacement(entry, replaced, mempool);
}

function checkRelatives(vsize: number, ancestors: Set<MempoolEntry>, replaced: Set<MempoolEntry>): Refusal | undefined {
  const refuse = (debug: string): Refusal => ({ reason: 'too-long-mempool-chain', debug });
  for (const ancestor of ancestors) {
    const family = [...withDescendants([ancestor])].filter((entry) => !replaced.has(entry));
    if (sum(family).vsize + vsize > MAX_RELATIVES_SIZE) return refuse(`exceeds descendant size limit for tx ${ancestor.id} [limit: ${MAX_RELATIVES_SIZE}]`);
    if (family.length + 1 > MAX_RELATIVES) return refuse(`too many descendants for tx ${ancestor.id} [limit: ${MAX_RELATIVES}]`);
  }
  if (sum(ancestors).vsize + vsize > MAX_RELATIVES_SIZE) return refuse(`exceeds ancestor size limit [limit: ${MAX_RELATIVES_SIZE}]`);
  if (ancestors.size + 1 > MAX_RELATIVES) return refuse(`too many unconfirmed ancestors [limit: ${MAX_RELATIVES}]`);
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
    return { reason: 'too many potential replacements', debug: `rejecting replacement ${entry.id}; too many potential replacements (${replaced.size} > ${MAX_REPLACED})` };
  }
  const before = sum(replaced).feeSats;
  if (entry.feeSats < before) return refuse(`, less fees than conflicting txs; ${toBtc(entry.feeSats)} < ${toBtc(before)}`);
  const extra = entry.feeSats - before;
  const least = feeAt(RELAY_FEE_RATE, vsize);
  if (extra < least) return refuse(`, not enough additional fees to relay; ${toBtc(extra)} < ${toBtc(least)}`);
  return undefined;
}

/** A fee rate as Core prints it. */
const rate = (feeSats: bigint, vsize: number): string => `${toBtc8((feeSats * 1000n) / BigInt(vsize))} BTC/kvB`;
const toBtc8 = (sats: bigint): string => (Number(sats) / 1e8).toFixed(8);
const toBtc = (sats: bigint): string => toBtc8(sats).replace(/0{1,6}$/, '');
