import { RLP } from '@ethereumjs/rlp';
import { type ChainSpec, decodeHeader, encodeHeader, type L2Header, type SealedBlock, slotAt, toBigEndian } from '@hemid/protocol';
import { type Batch, layout, type Store } from '@hemid/store';
import type { BlockArchive } from './block-archive.ts';
import type { PlacedL2Header } from './ports.ts';

/** Two or more blocks that one sequencer sealed for one slot. */
export interface SlotEvidence {
  slot: bigint;
  blocks: { hash: Uint8Array; header: L2Header; seal: Uint8Array }[];
}

export interface SlotEvidenceDeps {
  spec: ChainSpec;
  archive: BlockArchive;
  headerAt(number: bigint): PlacedL2Header | undefined;
  isCanonical(block: PlacedL2Header): boolean;
  parentOf(block: PlacedL2Header): PlacedL2Header;
}

/** The ancestor-or-self of `tip` with a timestamp: step by step down to the canonical chain, by halves along it. */
function findByTimestamp(deps: SlotEvidenceDeps, tip: PlacedL2Header, timestamp: bigint): PlacedL2Header | undefined {
  let block = tip;
  while (block.header.timestamp > timestamp && !deps.isCanonical(block)) block = deps.parentOf(block);
  if (block.header.timestamp <= timestamp) return block.header.timestamp === timestamp ? block : undefined;
  let [low, high] = [0n, block.header.number];
  while (low <= high) {
    const middle = (low + high) / 2n;
    const found = deps.headerAt(middle);
    if (found === undefined || found.header.timestamp === timestamp) return found;
    if (found.header.timestamp < timestamp) low = middle + 1n;
    else high = middle - 1n;
  }
  return undefined;
}

/**
 * Keeps the proof that a sequencer equivocated: two blocks sealed for one slot, on whatever branches they are
 * (protocol section 3).
 */
export function keepSlotEvidence(deps: SlotEvidenceDeps, leaves: Iterable<PlacedL2Header>, sealed: SealedBlock, batch: Batch): void {
  const { timestamp } = sealed.block.header;
  const rivals = [...leaves].flatMap((leaf) => findByTimestamp(deps, leaf, timestamp) ?? []);
  if (rivals.length === 0) return;
  const slot = slotAt(deps.spec, timestamp) ?? 0n;
  for (const block of [...rivals.map(({ hash }) => deps.archive.readBlock(hash)), sealed]) {
    if (block === undefined) continue;
    batch.put(layout.slotEvidence, { slot, blockHash: block.hash }, RLP.encode([encodeHeader(block.block.header), block.seal]));
  }
}

/** The evidence of a store, by slot ascending from `from` on, at most `count` slots. */
export async function readSlotEvidence(store: Store, from: bigint, count: number): Promise<SlotEvidence[]> {
  const found: SlotEvidence[] = [];
  for await (const [{ slot, blockHash }, bytes] of store.range(layout.slotEvidence, { from: toBigEndian(from, 8) })) {
    const last = found[found.length - 1];
    if (last?.slot !== slot && found.length === count) break;
    const [header, seal] = RLP.decode(bytes) as [Uint8Array, Uint8Array];
    const block = { hash: blockHash, header: decodeHeader(header), seal };
    if (last?.slot === slot) last.blocks.push(block);
    else found.push({ slot, blocks: [block] });
  }
  return found;
}
