import { isPushOnly, readScriptForm } from '../script-form.ts';
import type { Coin } from './layout.ts';
import type { RegtestTransaction } from './transaction.ts';

/** The policy of Bitcoin Core's and Knots' defaults: what is relayed, beyond what is valid (policy/policy.cpp). */

/** Lowest fee rate that is relayed, and the least a replacement adds, sats per 1000 vbytes. */
export const RELAY_FEE_RATE = 1000n;
/** Fee rate at which an output costs more to spend than it holds, sats per 1000 vbytes. */
const DUST_FEE_RATE = 3000n;
const MAX_STANDARD_WEIGHT = 400_000;
const MIN_STANDARD_SIZE = 65;
const MAX_STANDARD_SIGOPS_COST = 16_000;
const MAX_SCRIPT_SIG_SIZE = 1650;
/** The largest OP_RETURN script, the opcode included. */
const MAX_DATA_SCRIPT_SIZE = 83;

/** The fee at a rate in sats per 1000 vbytes, rounded up. */
export function feeAt(rate: bigint, vsize: number): bigint {
  return (rate * BigInt(vsize) + 999n) / 1000n;
}

/** Whether an output holds less than a third of what it costs to spend it at the minimum fee rate. */
export function isDust({ script, value }: { script: Uint8Array; value: bigint }): boolean {
  const { type } = readScriptForm(script);
  if (type === 'nulldata') return false;
  const isWitness = type.startsWith('witness') || type === 'anchor';
  // Core's GetDustThreshold: the output, and the input that would spend it.
  const size = 8 + (script.length < 0xfd ? 1 : 3) + script.length + (isWitness ? 67 : 148);
  return value < feeAt(DUST_FEE_RATE, size);
}

/** Why a transaction is not standard by its own form (Core's IsStandardTx), or `undefined`. */
export function checkStandard({ tx, weight }: RegtestTransaction): string | undefined {
  if (tx.version < 1 || tx.version > 3) return 'version';
  if (weight > MAX_STANDARD_WEIGHT) return 'tx-size';
  for (const { script } of tx.ins) {
    if (script.length > MAX_SCRIPT_SIG_SIZE) return 'scriptsig-size';
    if (!isPushOnly(script)) return 'scriptsig-not-pushonly';
  }
  let data = 0;
  for (const output of tx.outs) {
    const form = readScriptForm(output.script);
    if (form.type === 'nonstandard') return 'scriptpubkey';
    if (form.type === 'multisig') return form.keys.length > 3 ? 'scriptpubkey' : 'bare-multisig';
    if (form.type === 'pubkey') return 'bare-pubkey';
    if (form.type === 'nulldata') {
      if (output.script.length > MAX_DATA_SCRIPT_SIZE) return 'scriptpubkey';
      data += 1;
    } else if (isDust(output)) {
      return 'dust';
    }
  }
  if (data > 1) return 'multi-op-return';
  if (data === tx.outs.length) return 'bare-datacarrier';
  return tx.byteLength(false) < MIN_STANDARD_SIZE ? 'tx-size-small' : undefined;
}

/** Why what a transaction spends, and how, is not standard, or `undefined`. `sigops` is their cost. */
export function checkStandardSpends({ tx }: RegtestTransaction, coins: readonly Coin[], sigops: number): string | undefined {
  const types = coins.map(({ script }) => readScriptForm(script).type);
  if (types.some((type) => type === 'nonstandard' || type === 'witness_unknown')) return 'bad-txns-nonstandard-inputs';
  for (const [i, { witness }] of tx.ins.entries()) {
    const isWitness = types[i]?.startsWith('witness') === true;
    if (!isWitness && types[i] !== 'scripthash' && witness.length > 0) return 'bad-witness-nonstandard';
    if (types[i] === 'witness_v0_scripthash' && !isStandardWitnessScript(witness)) return 'bad-witness-nonstandard';
    // The annex (BIP341) has no meaning yet.
    if (types[i] === 'witness_v1_taproot' && witness.length > 1 && witness.at(-1)?.[0] === 0x50) return 'bad-witness-nonstandard';
  }
  return sigops > MAX_STANDARD_SIGOPS_COST ? 'bad-txns-too-many-sigops' : undefined;
}

function isStandardWitnessScript(witness: Uint8Array[]): boolean {
  const stack = witness.slice(0, -1);
  return (witness.at(-1)?.length ?? 0) <= 3600 && stack.length <= 100 && stack.every((item) => item.length <= 80);
}

/** Virtual size as policy counts it: at least 20 bytes per signature operation. */
export function policySize(weight: number, sigops: number): number {
  return Math.ceil(Math.max(weight, sigops * 20) / 4);
}
