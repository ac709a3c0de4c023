import { compare, concat, displayBytes, hasProofOfWork } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { merkleRoot } from '../block.ts';
import { MAX_BLOCK_WEIGHT } from '../transaction-check.ts';
import { encodeWitnessCommitment, type RegtestBlock, toRegtestBlock } from './block.ts';
import { encodeHeight } from './block-check.ts';
import { type BlockNode, medianTimePast } from './block-tree.ts';
import { BITS, subsidySats } from './consensus.ts';
import { type Mempool, type MempoolEntry, sum, withAncestors, withDescendants } from './mempool.ts';
import { feeAt, RELAY_FEE_RATE } from './standard.ts';
import { toRegtestTransaction } from './transaction.ts';

/** Weight kept free for the header and the coinbase. */
const RESERVED_WEIGHT = 8000;
const BLOCK_VERSION = 0x20000000;

export interface BlockTemplate {
  parent: BlockNode;
  mempool: Mempool;
  /** Where the subsidy and the fees go. */
  script: Uint8Array;
  /** Wanted block time, seconds; the rules may ask for a later one. */
  timeSeconds: number;
}

/** Builds and mines the block that Core's generatetoaddress would. */
export function mineBlock({ parent, mempool, script, timeSeconds }: BlockTemplate): RegtestBlock {
  const height = parent.height + 1;
  const chosen = chooseTransactions(mempool);
  const coinbase = new Transaction();
  coinbase.version = 2;
  coinbase.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, concat(encodeHeight(height), Uint8Array.of(0)));
  coinbase.addOutput(script, subsidySats(height) + sum(chosen).feeSats);
  const nonce = new Uint8Array(32);
  coinbase.addOutput(encodeWitnessCommitment(chosen, nonce), 0n);
  coinbase.setWitness(0, [nonce]);
  const transactions = [toRegtestTransaction(coinbase), ...chosen];
  const header = {
    version: BLOCK_VERSION,
    previous: parent.hash,
    merkleRoot: merkleRoot(transactions.map(({ txid }) => txid)).root,
    time: Math.max(medianTimePast(parent) + 1, timeSeconds),
    bits: BITS,
    nonce: 0,
  };
  for (;;) {
    const block = toRegtestBlock(header, transactions);
    if (hasProofOfWork('regtest', block.hash, header.bits)) return block;
    header.nonce += 1;
  }
}

/** Entries by the fee rate they have together with what they need, until the block is full, parents first. */
function chooseTransactions(mempool: Mempool): MempoolEntry[] {
  const chosen = new Set<MempoolEntry>();
  const toPackage = (entry: MempoolEntry): Package => {
    const needed = [...withAncestors([entry])].filter((other) => !chosen.has(other));
    return { entry, needed, ...sum(needed) };
  };
  const open = new Map([...mempool.all()].map((entry) => [entry, toPackage(entry)]));
  let weight = RESERVED_WEIGHT;
  while (open.size > 0) {
    const best = [...open.values()].reduce((a, b) => (isBetter(b, a) ? b : a));
    if (best.feeSats < feeAt(RELAY_FEE_RATE, best.vsize)) break;
    const added = best.needed.reduce((total, other) => total + other.weight, 0);
    open.delete(best.entry);
    if (weight + added > MAX_BLOCK_WEIGHT) continue;
    weight += added;
    for (const entry of parentsFirst(best.needed)) {
      chosen.add(entry);
      open.delete(entry);
    }
    for (const entry of withDescendants(best.needed)) if (open.has(entry)) open.set(entry, toPackage(entry));
  }
  return [...chosen];
}

/** An entry and what of its ancestors is not yet in the block. */
interface Package {
  entry: MempoolEntry;
  needed: MempoolEntry[];
  feeSats: bigint;
  vsize: number;
}

/** By the lower of the entry's own fee rate and that of the package; equal ones by id (Core's CompareTxMemPoolEntryByAncestorFee). */
function isBetter(a: Package, b: Package): boolean {
  const [left, right] = [lowerRate(a), lowerRate(b)];
  const difference = left.feeSats * BigInt(right.vsize) - right.feeSats * BigInt(left.vsize);
  return difference > 0n || (difference === 0n && compare(displayBytes(a.entry.txid), displayBytes(b.entry.txid)) < 0);
}

function lowerRate({ entry, feeSats, vsize }: Package): { feeSats: bigint; vsize: number } {
  return entry.feeSats * BigInt(vsize) < feeSats * BigInt(entry.vsize) ? entry : { feeSats, vsize };
}

/** A package in an order a block can take: fewer ancestors first. */
function parentsFirst(entries: readonly MempoolEntry[]): MempoolEntry[] {
  const ranked = entries.map((entry) => ({ entry, ancestors: withAncestors([entry]).size }));
  ranked.sort((a, b) => a.ancestors - b.ancestors || compare(displayBytes(a.entry.txid), displayBytes(b.entry.txid)));
  return ranked.map(({ entry }) => entry);
}
