import { scriptToAddress, toDigits, toDisplay } from '@hemid/protocol';
import { script as bitcoinScript, type Transaction } from 'bitcoinjs-lib';
import { btcFromSats } from '../rpc/bitcoin-amount.ts';
import { readScript, readScriptForm } from '../script-form.ts';
import { isStrictDer } from '../signature.ts';
import { isCoinbase } from '../transaction-check.ts';
import { measureBlock, type RegtestBlock } from './block.ts';
import { type BlockNode, medianTimePast } from './block-tree.ts';
import type { Chain } from './chain.ts';
import { TARGET, WORK_PER_BLOCK } from './consensus.ts';
import { describeScript } from './descriptor.ts';
import { type MempoolEntry, sum, withAncestors, withDescendants } from './mempool.ts';
import { type RegtestTransaction, virtualSize } from './transaction.ts';

/** An amount as JSON: the double nearest to it, as a client gets from parsing Core's decimals. */
export const toAmount = (sats: bigint): number => Number(btcFromSats(sats));

/** Difficulty of regtest, as Core computes it from the bits. */
export const DIFFICULTY = 4.656542373906925e-10;

export const TARGET_TEXT = TARGET.toString(16).padStart(64, '0');

/** Work of the chain up to a height: hex, 32 bytes. */
export const toChainWork = (height: number): string => (WORK_PER_BLOCK * BigInt(height + 1)).toString(16).padStart(64, '0');

/** What `getblockheader` says. */
export function toHeaderShape(node: BlockNode, chain: Chain): Record<string, unknown> {
  const { header, height } = node;
  const next = chain.isActive(node) ? chain.at(height + 1) : undefined;
  return {
    hash: node.id,
    confirmations: chain.isActive(node) ? chain.tip().height - height + 1 : -1,
    height,
    version: header.version,
    versionHex: (header.version >>> 0).toString(16).padStart(8, '0'),
    merkleroot: toDisplay(header.merkleRoot),
    time: header.time,
    mediantime: medianTimePast(node),
    nonce: header.nonce,
    bits: header.bits.toString(16).padStart(8, '0'),
    target: TARGET_TEXT,
    difficulty: DIFFICULTY,
    chainwork: toChainWork(height),
    nTx: node.transactions,
    ...(node.parent === undefined ? {} : { previousblockhash: node.parent.id }),
    ...(next === undefined ? {} : { nextblockhash: next.id }),
  };
}

/** What `getblock` says with verbosity 1. */
export function toBlockShape(node: BlockNode, block: RegtestBlock, chain: Chain): Record<string, unknown> {
  const { strippedSize, weight } = measureBlock(block);
  const transactions = block.transactions.map(({ id }) => id);
  return { ...toHeaderShape(node, chain), strippedsize: strippedSize, size: block.raw.length, weight, tx: transactions };
}

/** What a script is in words: opcodes, pushes as hex, pushes of up to four bytes as numbers. */
function toAssembly(script: Uint8Array, kind: 'scriptPubKey' | 'scriptSig' = 'scriptPubKey'): string {
  const { ops, whole } = readScript(script);
  const words = ops.map(({ opcode, data }) => {
    if (data === undefined) return opcodeName(opcode);
    if (data.length <= 4) return String(bitcoinScript.number.decode(data, 4, false));
    const hashType = kind === 'scriptSig' && isStrictDer(data) ? HASH_TYPES.get(data.at(-1) ?? 0) : undefined;
    return hashType === undefined ? toDigits(data) : `${toDigits(data.subarray(0, -1))}[${hashType}]`;
  });
  return [...words, ...(whole ? [] : ['[error]'])].join(' ');
}

const HASH_TYPES = new Map([
  [0x01, 'ALL'],
  [0x02, 'NONE'],
  [0x03, 'SINGLE'],
  [0x81, 'ALL|ANYONECANPAY'],
  [0x82, 'NONE|ANYONECANPAY'],
  [0x83, 'SINGLE|ANYONECANPAY'],
]);

const NAMES = new Map(Object.entries(bitcoinScript.OPS).map(([name, code]) => [code, name]));

function opcodeName(opcode: number): string {
  if (opcode === 0x4f) return '-1';
  if (opcode >= 0x51 && opcode <= 0x60) return String(opcode - 0x50);
  return NAMES.get(opcode) ?? 'OP_UNKNOWN';
}

/** An output script in Core's shape. */
export function toScriptShape(script: Uint8Array): Record<string, unknown> {
  const address = scriptToAddress(script, 'regtest');
  return {
    asm: toAssembly(script),
    desc: describeScript(script),
    hex: toDigits(script),
    ...(address === undefined ? {} : { address }),
    type: readScriptForm(script).type,
  };
}

/** A transaction as `getrawtransaction` shows it. */
export function toTransactionShape({ tx, id, wtxid, raw, weight }: RegtestTransaction): Record<string, unknown> {
  return {
    txid: id,
    hash: toDisplay(wtxid),
    version: tx.version,
    size: raw.length,
    vsize: virtualSize(weight),
    weight,
    locktime: tx.locktime,
    vin: tx.ins.map((input) => toInputShape(input, isCoinbase(tx))),
    vout: tx.outs.map(({ value, script }, n) => ({ value: toAmount(value), n, scriptPubKey: toScriptShape(script) })),
    hex: toDigits(raw),
  };
}

function toInputShape({ hash, index, script, sequence, witness }: Transaction['ins'][number], coinbase: boolean): Record<string, unknown> {
  const txinwitness = witness.length === 0 ? {} : { txinwitness: witness.map(toDigits) };
  if (coinbase) return { coinbase: toDigits(script), ...txinwitness, sequence };
  return { txid: toDisplay(hash), vout: index, scriptSig: { asm: toAssembly(script, 'scriptSig'), hex: toDigits(script) }, ...txinwitness, sequence };
}

/** What `getmempoolentry` says. */
export function toEntryShape(entry: MempoolEntry): Record<string, unknown> {
  const ancestors = withAncestors([entry]);
  const descendants = withDescendants([entry]);
  return {
    vsize: entry.vsize,
    weight: entry.weight,
    time: entry.timeSeconds,
    height: entry.height,
    descendantcount: descendants.size,
    descendantsize: sum(descendants).vsize,
    ancestorcount: ancestors.size,
    ancestorsize: sum(ancestors).vsize,
    wtxid: toDisplay(entry.wtxid),
    fees: {
      base: toAmount(entry.feeSats),
      modified: toAmount(entry.feeSats),
      ancestor: toAmount(sum(ancestors).feeSats),
      descendant: toAmount(sum(descendants).feeSats),
    },
    depends: [...entry.parents].map(({ id }) => id),
    spentby: [...entry.children].map(({ id }) => id),
    'bip125-replaceable': [...ancestors].some(({ tx }) => tx.ins.some(({ sequence }) => sequence < 0xfffffffe)),
    unbroadcast: entry.unbroadcast,
  };
}
