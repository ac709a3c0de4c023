import { equal, toDigits } from '@hemid/protocol';
import type { EthereumBlock } from './block.ts';
import { executeBlock } from './block-loop.ts';
import type { Header } from './header.ts';
import { checkBody, checkHeader } from './header-rules.ts';
import type { Network } from './network.ts';
import { type Ancestor, checkOmmers } from './proof-of-work.ts';
import { refuse } from './refusal.ts';
import type { World } from './world.ts';

/** A block that was accepted, with the state after it. */
export interface KnownBlock extends Ancestor {
  world: World;
  totalDifficulty: bigint;
  parent?: KnownBlock;
}

/** Blocks by hash, on any branch, and the head among them. */
export interface Chain {
  head(): KnownBlock;
  /** Takes in a block after one that is known; one that breaks a rule is refused and leaves no trace. */
  add(block: EthereumBlock): Promise<void>;
}

function ancestorHash(from: KnownBlock, number: bigint): Uint8Array {
  let at: KnownBlock | undefined = from;
  while (at !== undefined && at.header.number > number) at = at.parent;
  return at?.header.number === number ? at.hash : new Uint8Array(32);
}

/** Before the merge the heaviest chain leads, after it the latest block. */
function leads(block: KnownBlock, head: KnownBlock): boolean {
  return block.header.difficulty === 0n || block.totalDifficulty > head.totalDifficulty;
}

/** A chain that begins with a genesis block and its state. */
export function openChain(network: Network, genesis: { header: Header; hash: Uint8Array }, state: World): Chain {
  let head: KnownBlock = { ...genesis, ommers: [], world: state, totalDifficulty: genesis.header.difficulty };
  const known = new Map([[toDigits(head.hash), head]]);
  return {
    head: () => head,
    async add(block) {
      const { header } = block;
      const parent = known.get(toDigits(header.parentHash));
      if (parent === undefined) throw refuse('the parent is unknown');
      const rules = await network(header);
      checkHeader(header, parent.header, rules);
      checkBody(block, rules);
      checkOmmers(block, parent, (ommer, before) => checkHeader(ommer, before, rules));
      const world = parent.world.fork();
      await executeBlock(block, { rules, world, ancestorHash: (number) => ancestorHash(parent, number) });
      if (!equal(world.root(), header.stateRoot)) throw refuse('the state is not that of the header');
      const next = { header, hash: block.hash, ommers: block.ommers, world, totalDifficulty: parent.totalDifficulty + header.difficulty, parent };
      known.set(toDigits(next.hash), next);
      if (leads(next, head)) head = next;
    },
  };
}
