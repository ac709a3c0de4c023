import { toDisplay } from '@hemid/protocol';
import type { Batch } from '@hemid/store';
import type { RegtestBlock } from './block.ts';
import { checkBlock, checkBlockInContext, checkHeaderInContext } from './block-check.ts';
import { type BlockNode, BlockState, type BlockTree, hasState } from './block-tree.ts';
import { regtestLayout } from './layout.ts';

/** What became of an offered block: a node of the tree (`known`: it was there already) or a reason against it. */
export type Offer = { node: BlockNode; known: boolean } | { reason: string };

/** Runs Core's ProcessNewBlock up to the point where the block is stored. */
export function addBlock(tree: BlockTree, block: RegtestBlock, nowSeconds: number, batch: Batch): Offer {
  const fault = checkBlock(block);
  if (fault !== undefined) return fault;
  const known = tree.read(block.id);
  if (known !== undefined && hasState(known, BlockState.FAILED)) return { reason: 'duplicate-invalid' };
  if (known !== undefined && hasState(known, BlockState.BODY)) return { node: known, known: true };
  const parent = tree.read(toDisplay(block.header.previous));
  if (parent === undefined) return { reason: 'prev-blk-not-found' };
  if (hasState(parent, BlockState.FAILED)) return { reason: 'bad-prevblk' };
  const headerFault = checkHeaderInContext(block, parent, nowSeconds);
  if (headerFault !== undefined) return headerFault;
  const node = known ?? newNode(block, parent);
  const bodyFault = checkBlockInContext(block, parent);
  if (bodyFault === undefined) {
    Object.assign(node, { state: BlockState.BODY, sequence: tree.nextSequence(), transactions: block.transactions.length });
    batch.put(regtestLayout.body, block.hash, block.raw);
  } else if (!bodyFault.mutated) {
    node.state |= BlockState.FAILED;
  }
  tree.put(node, batch);
  return bodyFault ?? { node, known: false };
}

/** A node that nothing is known of but its header. */
export function newNode(block: RegtestBlock, parent: BlockNode | undefined): BlockNode {
  const { hash, id, header, headerBytes } = block;
  return { hash, id, header, headerBytes, parent, height: parent === undefined ? 0 : parent.height + 1, sequence: 0, transactions: 0, state: 0 };
}
