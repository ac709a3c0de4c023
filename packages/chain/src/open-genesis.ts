import { buildGenesis, type ExecutionDeps } from '@hemid/hvm';
import { equal, toHex } from '@hemid/protocol';
import { layout, type Store } from '@hemid/store';
import type { BlockArchive } from './block-archive.ts';
import { fail } from './errors.ts';
import type { PlacedL2Header } from './ports.ts';

const SPEC_ROW = 'genesis-hash';
/** The genesis whose state was being written. */
const BEGUN_ROW = 'genesis-begun';

/**
 * The genesis of a store: written, state and all, when the store is empty.
 *
 * @throws `chain/other-spec` when the store belongs to another one.
 */
export async function openGenesis(store: Store, archive: BlockArchive, { spec, common, states }: ExecutionDeps): Promise<PlacedL2Header> {
  const executed = await buildGenesis(spec, common);
  const known = store.get(layout.meta, SPEC_ROW) ?? store.get(layout.meta, BEGUN_ROW);
  if (known !== undefined && !equal(known, executed.hash)) {
    throw fail(
      'chain/other-spec',
      `the data directory belongs to the chain with genesis ${toHex(known)}, the chain spec is that of ${toHex(executed.hash)}: choose another --data directory or the right --chain file`,
    );
  }
  if (store.get(layout.meta, SPEC_ROW) === undefined) {
    const begun = store.batch();
    begun.put(layout.meta, BEGUN_ROW, executed.hash);
    await begun.commit();
    const batch = store.batch();
    archive.put(executed, { seal: new Uint8Array(), supply: executed.supplyChange }, batch);
    await states.init({ hash: executed.hash, number: 0n }, executed.diff, batch);
    batch.del(layout.meta, BEGUN_ROW);
    batch.put(layout.canonical, 0n, executed.hash);
    batch.put(layout.leaf, executed.hash, 0n);
    batch.put(layout.meta, SPEC_ROW, executed.hash);
    await batch.commit();
  }
  return { header: executed.block.header, hash: executed.hash };
}
