import { layout, type Store } from '@hemid/store';
import { hashScript } from './bitcoin-index.ts';

/**
 * Heights of the blocks that changed the unspent outputs of a script, as the index stands, at or below `from`, the highest
 * first. What was made and spent in one block never shows.
 */
export async function changesOf(store: Store, script: Uint8Array, { from, limit }: { from: number; limit: number }): Promise<number[]> {
  const scriptHash = hashScript(script);
  const newest = store.get(layout.script, scriptHash)?.since;
  const heights = newest === undefined || newest > from ? [] : [newest];
  const range = { prefix: scriptHash, from: layout.pastScript.key.encode({ scriptHash, since: from }), limit };
  for await (const [{ since }] of store.range(layout.pastScript, range)) heights.push(since);
  return heights.slice(0, limit);
}
