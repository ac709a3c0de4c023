import { concat, equal, hasProofOfWork } from '@hemid/protocol';
import { merkleRoot } from '../block.ts';
import { countSigops } from '../script-form.ts';
import { checkTransaction, isCoinbase, MAX_BLOCK_WEIGHT } from '../transaction-check.ts';
import { measureBlock, type RegtestBlock, readWitnessCommitment, witnessCommitment } from './block.ts';
import { type BlockNode, medianTimePast } from './block-tree.ts';
import { BITS, MAX_BLOCK_SIGOPS_COST, MAX_FUTURE_SECONDS, MIN_BLOCK_VERSION } from './consensus.ts';
import { isFinal } from './lock-time.ts';

/** Why a block is refused. `mutated`: the same header may come with a good body, so the block is not marked as failed. */
export interface BlockFault {
  reason: string;
  mutated: boolean;
}

const fault = (reason: string): BlockFault => ({ reason, mutated: false });
const mutation = (reason: string): BlockFault => ({ reason, mutated: true });

/** What is wrong with a block by itself (Core's CheckBlock), or `undefined`. */
export function checkBlock(block: RegtestBlock): BlockFault | undefined {
  const { transactions, header } = block;
  if (!hasProofOfWork('regtest', block.hash, header.bits)) return fault('high-hash');
  const { root, mutated } = merkleRoot(transactions.map(({ txid }) => txid));
  if (!equal(root, header.merkleRoot)) return mutation('bad-txnmrklroot');
  if (mutated) return mutation('bad-txns-duplicate');
  if (transactions.length === 0 || measureBlock(block).strippedSize * 4 > MAX_BLOCK_WEIGHT) return fault('bad-blk-length');
  const [coinbase, ...others] = transactions;
  if (coinbase === undefined || !isCoinbase(coinbase.tx)) return fault('bad-cb-missing');
  if (others.some(({ tx }) => isCoinbase(tx))) return fault('bad-cb-multiple');
  for (const transaction of transactions) {
    const reason = checkTransaction(transaction.tx);
    if (reason !== undefined) return fault(reason);
  }
  const scripts = transactions.flatMap(({ tx }) => [...tx.ins, ...tx.outs].map(({ script }) => script));
  const sigops = scripts.reduce((count, script) => count + countSigops(script, 'legacy'), 0);
  return sigops * 4 > MAX_BLOCK_SIGOPS_COST ? fault('bad-blk-sigops') : undefined;
}

/** What is wrong with a header on top of its parent, or `undefined`. `nowSeconds` is the clock's time. */
export function checkHeaderInContext({ header }: RegtestBlock, parent: BlockNode, nowSeconds: number): BlockFault | undefined {
  if (header.bits !== BITS) return fault('bad-diffbits');
  if (header.time <= medianTimePast(parent)) return fault('time-too-old');
  if (header.time > nowSeconds + MAX_FUTURE_SECONDS) return fault('time-too-new');
  if (header.version < MIN_BLOCK_VERSION) {
    return fault(`bad-version(0x${(header.version >>> 0).toString(16).padStart(8, '0')})`);
  }
  return undefined;
}

/** What is wrong with a block's transactions on top of its parent, the unspent set left aside, or `undefined`. */
export function checkBlockInContext(block: RegtestBlock, parent: BlockNode): BlockFault | undefined {
  const height = parent.height + 1;
  const place = { height, medianTime: medianTimePast(parent) };
  if (!block.transactions.every(({ tx }) => isFinal(tx, place))) return fault('bad-txns-nonfinal');
  const prefix = encodeHeight(height);
  const coinbase = block.transactions[0]?.tx;
  const coinbaseScript = coinbase?.ins[0]?.script ?? new Uint8Array();
  if (!equal(coinbaseScript.subarray(0, prefix.length), prefix)) return fault('bad-cb-height');
  return checkWitnesses(block) ?? (measureBlock(block).weight > MAX_BLOCK_WEIGHT ? fault('bad-blk-weight') : undefined);
}

/** BIP141: a commitment must be right, and without one there may be no witness. */
function checkWitnesses({ transactions }: RegtestBlock): BlockFault | undefined {
  const coinbase = transactions[0]?.tx;
  const commitment = coinbase === undefined ? undefined : readWitnessCommitment(coinbase);
  if (commitment === undefined) {
    return transactions.some(({ tx }) => tx.hasWitnesses()) ? mutation('unexpected-witness') : undefined;
  }
  const nonce = coinbase?.ins[0]?.witness ?? [];
  if (nonce.length !== 1 || nonce[0]?.length !== 32) return mutation('bad-witness-nonce-size');
  const wtxids = [new Uint8Array(32), ...transactions.slice(1).map(({ wtxid }) => wtxid)];
  return equal(witnessCommitment(wtxids, nonce[0]), commitment) ? undefined : mutation('bad-witness-merkle-match');
}

/** A block height as BIP34 wants it at the start of a coinbase: pushed as a script number. */
export function encodeHeight(height: number): Uint8Array {
  if (height === 0) return Uint8Array.of(0);
  if (height <= 16) return Uint8Array.of(0x50 + height);
  const bytes: number[] = [];
  for (let left = height; left > 0; left = Math.floor(left / 256)) bytes.push(left % 256);
  if ((bytes.at(-1) ?? 0) >= 0x80) bytes.push(0);
  return concat(Uint8Array.of(bytes.length), Uint8Array.from(bytes));
}
