import { type ChainSpec, decodeSealedBlock, equal, hashBitcoinHeader, isHemidError, type SealedBlock, toHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { loadSpecUnspentSet } from './bitcoin-source.ts';
import { stateWindowOf } from './config.ts';
import type { DbImportConfig } from './db-config.ts';
import { type BlockFileReader, type BlockFrame, openBlockFile } from './db-file.ts';
import { type DbContext, type DbEnd, openDbNode } from './db-node.ts';
import { fail } from './errors.ts';
import type { Node } from './node.ts';

interface Count {
  imported: number;
  known: number;
}

function decode(path: string, { payload, offset }: BlockFrame): SealedBlock {
  try {
    return decodeSealedBlock(payload);
  } catch (cause) {
    throw fail('node/db-file', `${path} holds no block at offset ${offset}: ${(cause as Error).message}`, { cause, details: { offset } });
  }
}

/** What `chain.import` says, with where in the file it was. */
function located(error: unknown, path: string, { offset }: BlockFrame): unknown {
  if (!isHemidError(error) || error.severity === 'fatal') return error;
  return fail('node/db-file', `${path}, offset ${offset}: ${error.message} (${error.code})`, { cause: error, details: { offset } });
}

/** Imports one L2 block, the Bitcoin blocks that stand before it first. */
async function take({ chain, blocks }: Node, sealed: SealedBlock, bitcoin: readonly Uint8Array[]): Promise<'imported' | 'known'> {
  if (chain.header(sealed.hash) !== undefined) return 'known';
  await blocks.keepAll(bitcoin.filter((raw) => !blocks.has(hashBitcoinHeader(raw.subarray(0, 80)))));
  return chain.import(sealed);
}

async function takeAll(context: DbContext, node: Node, { path, file }: { path: string; file: BlockFileReader }): Promise<Count> {
  const count: Count = { imported: 0, known: 0 };
  let bitcoin: Uint8Array[] = [];
  for (const frame of file.frames()) {
    context.signal.throwIfAborted();
    if (frame.kind === 'B') {
      bitcoin.push(frame.payload);
      continue;
    }
    const sealed = decode(path, frame);
    try {
      count[await take(node, sealed, bitcoin)] += 1;
    } catch (error) {
      throw located(error, path, frame);
    }
    bitcoin = [];
    context.progress(sealed.block.header.number, file.head.last);
  }
  return count;
}

/**
 * `hemid db import FILE`: executes the blocks of a file as if peers had sent them. Those that are here already are
 * passed over, so that it goes on where it was stopped.
 */
export async function runDbImport(
  context: DbContext,
  { spec, path, config }: { spec: ChainSpec; path: string; config: DbImportConfig },
): Promise<DbEnd> {
  const file = openBlockFile(path);
  try {
    await loadSpecUnspentSet(spec, config.unspentSet, { ...context, log: silentLogger });
    const node = await openDbNode(spec, context.store, { ...context, stateWindow: stateWindowOf(config) });
    const genesis = node.chain.head('earliest').hash;
    if (!equal(genesis, file.head.genesis)) {
      throw fail('node/db-file', `${path} is of the chain with genesis ${toHex(file.head.genesis)}, the chain spec is that of ${toHex(genesis)}`);
    }
    const { imported, known } = await takeAll(context, node, { path, file });
    await node.settled();
    const head = node.chain.head('latest');
    return { line: `import: ${imported} blocks executed, ${known} were here, head ${head.header.number} ${toHex(head.hash)}` };
  } finally {
    file.close();
  }
}
