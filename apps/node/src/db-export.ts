import { indexTipOf } from '@hemid/bitcoin';
import { bitcoinReference, type PlacedL2Header } from '@hemid/chain';
import { type ChainSpec, encodeSealedBlock, toDisplay, toHex } from '@hemid/protocol';
import type { DbExportConfig } from './db-config.ts';
import { createBlockFile } from './db-file.ts';
import { type DbContext, type DbEnd, openDbNode } from './db-node.ts';
import { fail } from './errors.ts';
import type { Node } from './node.ts';

/** The Bitcoin blocks that a block's execution reads and its parent's did not, oldest first. */
function newBitcoinBlocks({ chain, headers, blocks }: Node, block: PlacedL2Header): Uint8Array[] {
  const indexTip = (of: PlacedL2Header): Uint8Array => {
    const light = headers.read(bitcoinReference(of.header));
    if (light === undefined) throw fail('node/db-damaged', `the Bitcoin header that block ${of.header.number} names is not here`);
    return indexTipOf(chain.spec, headers, light).hash;
  };
  const parent = chain.ancestorOf(block, block.header.number - 1n);
  return headers.route(indexTip(parent), indexTip(block)).added.map((hash) => {
    const raw = blocks.readRaw(hash);
    if (raw === undefined)
      throw fail('node/db-damaged', `the Bitcoin block ${toDisplay(hash)}, which block ${block.header.number} needs, is not here`);
    return raw;
  });
}

/** `hemid db export FILE`: canonical blocks and the Bitcoin blocks they need, as one file with checksums. */
export async function runDbExport(
  context: DbContext,
  { spec, path, config }: { spec: ChainSpec; path: string; config: DbExportConfig },
): Promise<DbEnd> {
  const node = await openDbNode(spec, context.store, context);
  const { chain } = node;
  const head = chain.head('latest').header.number;
  const [first, last] = [config.from === 0n ? 1n : config.from, config.to ?? head];
  if (last > head) throw fail('node/config', `--to ${last} is above the head, block ${head}`);
  if (first > last) throw fail('node/config', `there is no block from ${first} to ${last}: the head is block ${head}`);
  const file = createBlockFile(path, { genesis: chain.head('earliest').hash, first, last });
  let bitcoinBlocks = 0;
  try {
    for (let number = first; number <= last; number += 1n) {
      context.signal.throwIfAborted();
      const placed = chain.headerAt(number);
      const sealed = placed === undefined ? undefined : chain.block(placed.hash);
      if (placed === undefined || sealed === undefined) throw fail('node/db-damaged', `the canonical block ${number} is not here`);
      for (const raw of newBitcoinBlocks(node, placed)) {
        file.put('B', raw);
        bitcoinBlocks += 1;
      }
      file.put('L', encodeSealedBlock(sealed));
      context.progress(number, last);
    }
    const size = file.finish();
    const hash = toHex(chain.headerAt(last)?.hash ?? new Uint8Array());
    return { line: `export: blocks ${first} to ${last} ${hash} and ${bitcoinBlocks} Bitcoin blocks, ${size} bytes in ${path}` };
  } finally {
    file.close();
  }
}
