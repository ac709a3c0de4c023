import { type ChainSpec, toHex } from '@hemid/protocol';
import { type DbContext, type DbEnd, lowestUndo, openDbNode } from './db-node.ts';
import { fail } from './errors.ts';

/** `hemid db rollback N`: takes the last N canonical blocks back. */
export async function runDbRollback({ store, clock }: DbContext, { spec, count }: { spec: ChainSpec; count: bigint }): Promise<DbEnd> {
  if (count === 0n) throw fail('node/config', 'rollback 0 would do nothing: say how many blocks');
  const { chain, settled } = await openDbNode(spec, store, { clock });
  const old = chain.head('latest');
  const lowest = await lowestUndo(store);
  const reach = lowest === undefined ? 0n : old.header.number - lowest + 1n;
  if (count > reach) {
    throw fail(
      'node/db-reach',
      `the head ${old.header.number} can go back ${reach} blocks at most: what the blocks before changed in the state is not kept (hemid node --archive keeps all)`,
    );
  }
  const { head, removed, dropped } = await chain.rollback(count);
  await settled();
  const others = dropped - removed.length;
  const more = others === 0 ? '' : `, ${others} blocks of other branches above it are forgotten too`;
  return {
    line: `rollback: ${removed.length} blocks taken back, from ${old.header.number} ${toHex(old.hash)} to head ${head.header.number} ${toHex(head.hash)}${more}; sealed slots stay sealed`,
  };
}
