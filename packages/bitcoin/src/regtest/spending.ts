import { toDisplay } from '@hemid/protocol';
import { btcFromSats } from '../rpc/bitcoin-amount.ts';
import { countSigops, readScriptForm } from '../script-form.ts';
import { MAX_MONEY_SATS } from '../transaction-check.ts';
import { ancestorAt, type BlockNode, medianTimePast } from './block-tree.ts';
import { COINBASE_MATURITY } from './consensus.ts';
import type { Coin } from './layout.ts';
import type { CoinAge } from './lock-time.ts';
import { type ScriptRules, verifyInput } from './script-verify.ts';
import type { RegtestTransaction } from './transaction.ts';

/** Why something is refused, in Core's words: a short reason, and more about it. */
export interface Fault {
  reason: string;
  debug?: string;
}

/** Height of the block that made a coin. */
export const coinHeight = (coin: Coin): number => coin.origin >>> 1;

/** Whether a coinbase made a coin. */
export const isFromCoinbase = (coin: Coin): boolean => (coin.origin & 1) === 1;

/** The coin that an output becomes in a block of that height. */
export function toCoin({ value, script }: { value: bigint; script: Uint8Array }, height: number, from: 'coinbase' | 'payment'): Coin {
  return { valueSats: value, origin: height * 2 + (from === 'coinbase' ? 1 : 0), script };
}

/** What spending costs: the amount left over, or why the amounts do not fit (Core's CheckTxInputs). */
export function checkAmounts({ tx }: RegtestTransaction, coins: readonly Coin[], height: number): { feeSats: bigint } | Fault {
  let inSats = 0n;
  for (const coin of coins) {
    const depth = height - coinHeight(coin);
    if (isFromCoinbase(coin) && depth < COINBASE_MATURITY) {
      return { reason: 'bad-txns-premature-spend-of-coinbase', debug: `tried to spend coinbase at depth ${depth}` };
    }
    inSats += coin.valueSats;
    if (inSats > MAX_MONEY_SATS) return { reason: 'bad-txns-inputvalues-outofrange' };
  }
  const outSats = tx.outs.reduce((sum, { value }) => sum + value, 0n);
  if (inSats >= outSats) return { feeSats: inSats - outSats };
  return { reason: 'bad-txns-in-belowout', debug: `value in (${toBtcText(inSats)}) < value out (${toBtcText(outSats)})` };
}

/** An amount as Core prints it in its messages: at least two decimals. */
export const toBtcText = (sats: bigint): string => btcFromSats(sats).replace(/0{1,6}$/, '');

/** The ages of coins, for their relative lock times, seen from a block on top of `tip`. */
export function coinAges(coins: readonly Coin[], tip: BlockNode): CoinAge[] {
  return coins.map((coin) => ({
    height: coinHeight(coin),
    medianTimeBefore() {
      const before = ancestorAt(tip, Math.max(Math.min(coinHeight(coin) - 1, tip.height), 0));
      return before === undefined ? 0 : medianTimePast(before);
    },
  }));
}

/** Signature operations of the witnesses of a transaction (BIP141). */
function witnessSigops({ tx }: RegtestTransaction, coins: readonly Coin[]): number {
  return tx.ins.reduce((count, { witness }, i) => {
    const form = readScriptForm(coins[i]?.script ?? new Uint8Array());
    if (form.type === 'witness_v0_keyhash') return count + 1;
    if (form.type === 'witness_v0_scripthash') return count + countSigops(witness.at(-1) ?? new Uint8Array(), 'accurate');
    return count;
  }, 0);
}

/** Cost of a transaction's signature operations (Core's GetTransactionSigOpCost). */
export function sigopsCost(transaction: RegtestTransaction, coins: readonly Coin[]): number {
  const scripts = [...transaction.tx.ins, ...transaction.tx.outs].map(({ script }) => script);
  return scripts.reduce((cost, script) => cost + 4 * countSigops(script, 'legacy'), witnessSigops(transaction, coins));
}

/** Core's words for a reason with an explanation. */
export const describe = ({ reason, debug }: Fault): string => (debug === undefined ? reason : `${reason}, ${debug}`);

/** Verifies every input; the reason reads as Core's. */
export function verifyTransaction({ tx, id, wtxid }: RegtestTransaction, coins: readonly Coin[], rules: ScriptRules): Fault | undefined {
  const place = rules === 'policy' ? 'mempool' : 'mandatory';
  for (const [index, { hash, index: vout }] of tx.ins.entries()) {
    const failure = verifyInput({ tx, index, coins, rules });
    if (failure === undefined) continue;
    const debug = `input ${index} of ${id} (wtxid ${toDisplay(wtxid)}), spending ${toDisplay(hash)}:${vout}`;
    if (failure.unsupported) return { reason: `unsupported-script (${failure.reason})`, debug };
    return { reason: `${place}-script-verify-flag-failed (${failure.reason})`, debug };
  }
  return undefined;
}
