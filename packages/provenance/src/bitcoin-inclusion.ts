import { type BitcoinTransaction, concat, decodeBitcoinHeader, equal, readTransactions, sha256d } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { HeaderRun } from './header-run.ts';
import type { BitcoinInclusion } from './proof.ts';

/** A transaction of this size could pass for two hashes of the merkle tree. */
const NODE_SIZE = 64;
const MAX_DEPTH = 31;

/** The root over a leaf and its branch, or `undefined` where the branch is not one of that place. */
function rootOf(leaf: Uint8Array, index: number, branch: readonly Uint8Array[]): Uint8Array | undefined {
  if (branch.length > MAX_DEPTH || index >= 2 ** branch.length) return undefined;
  let node = leaf;
  for (const [level, sibling] of branch.entries()) {
    const isRight = Math.floor(index / 2 ** level) % 2 === 1;
    // A node without a sibling is paired with itself, and is then the left one.
    if (isRight && equal(node, sibling)) return undefined;
    node = sha256d(isRight ? concat(sibling, node) : concat(node, sibling));
  }
  return node;
}

function readTransaction(raw: Uint8Array): BitcoinTransaction | undefined {
  try {
    const [read] = readTransactions(concat(Uint8Array.of(1), raw), { start: 0 });
    return read?.hasWitness === true ? undefined : read?.transaction;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The transaction that is shown to be in a Bitcoin block. The coinbase, which is the first leaf and cannot be mistaken
 * for a node, shows how deep the tree is.
 *
 * @throws `provenance/lock`, `provenance/payment` or `provenance/anchor`, whichever `link` it is.
 */
export function verifyInclusion(part: BitcoinInclusion, run: HeaderRun, link: 'lock' | 'payment' | 'anchor'): BitcoinTransaction {
  const refuse = (why: string): Error => fail(`provenance/${link}`, `${link}: ${why}`);
  const block = run.at(part.height);
  if (block === undefined) throw refuse(`the Bitcoin headers have no block at height ${part.height}`);
  if ([part.transaction, part.coinbase].some((raw) => raw.length === NODE_SIZE)) throw refuse(`a transaction of ${NODE_SIZE} bytes shows nothing`);
  const [transaction, coinbase] = [readTransaction(part.transaction), readTransaction(part.coinbase)];
  if (transaction === undefined || coinbase === undefined) throw refuse('a transaction is not serialised without witnesses');
  if (transaction.isCoinbase || !coinbase.isCoinbase) throw refuse('the coinbase is not the coinbase, or the transaction is');
  if (part.branch.length !== part.coinbaseBranch.length) throw refuse('the two merkle branches are not of one length');
  const { merkleRoot } = decodeBitcoinHeader(block.header);
  const roots = [rootOf(transaction.txid, part.index, part.branch), rootOf(coinbase.txid, 0, part.coinbaseBranch)];
  if (!roots.every((root) => root !== undefined && equal(root, merkleRoot))) {
    throw refuse(`the transaction is not in the Bitcoin block at height ${part.height} of these headers`);
  }
  return transaction;
}
