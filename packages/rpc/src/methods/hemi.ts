import { bitcoinReference, type PlacedL2Header } from '@hemid/chain';
import { encodeSealedBlock, fromDisplay, toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { type MethodTable, method } from '../method.ts';
import { count, displayHash, quantity } from '../param.ts';
import { statusResult } from '../result/node.ts';
import { hexBytes } from '../result/scalar.ts';
import { hemiExamples } from './hemi-example.ts';

const MAX_BLOCKS = 64;
/** No further block is added to an answer of this many bytes. */
const ENOUGH_BYTES = 8_000_000;

const number = z.union([z.int().min(0).transform(BigInt), quantity], 'must be a block number: a number, or a hex quantity');

const showHead = ({ header, hash }: PlacedL2Header) => ({ number: header.number, hash, bitcoinTip: toDisplay(bitcoinReference(header)) });

/** What other nodes of this chain ask for. */
export const hemi: MethodTable = {
  hemi_getSealedBlocks: method({
    doc: 'RLP of up to `count` (at most 64) canonical blocks with their seals from a number on; fewer when they are large.',
    result: z.array(hexBytes),
    example: hemiExamples.hemi_getSealedBlocks,
    params: { from: number, count: count.refine((value) => value <= MAX_BLOCKS, `must be at most ${MAX_BLOCKS}`) },
    handle(values, { chain }) {
      const blocks: Uint8Array[] = [];
      let bytes = 0;
      for (let i = 0; i < values.count && bytes < ENOUGH_BYTES; i += 1) {
        const placed = chain.headerAt(values.from + BigInt(i));
        const sealed = placed && chain.block(placed.hash);
        if (sealed === undefined) break;
        const encoded = encodeSealedBlock(sealed);
        bytes += encoded.length;
        blocks.push(encoded);
      }
      return blocks;
    },
  }),
  hemi_getBitcoinBlock: method({
    doc: 'A raw Bitcoin block with witness, by its hash in display order; null when it is not here.',
    result: hexBytes.nullable(),
    example: hemiExamples.hemi_getBitcoinBlock,
    params: { hash: displayHash },
    handle: (values, { bitcoin }) => bitcoin.readRaw(fromDisplay(values.hash)),
  }),
  hemi_getStatus: method({
    doc: 'Whether the node is ready, and its heads with the Bitcoin block each is built on.',
    result: statusResult,
    example: hemiExamples.hemi_getStatus,
    params: {},
    handle(_, { chain, status }) {
      const reasons = status.reasons();
      const { latest, safe, finalized } = { latest: chain.head('latest'), safe: chain.head('safe'), finalized: chain.head('finalized') };
      return { ready: reasons.length === 0, reasons, latest: showHead(latest), safe: showHead(safe), finalized: showHead(finalized) };
    },
  }),
};
