import { sequencerAt } from '@hemid/chain';
import { encodeHeader } from '@hemid/protocol';
import { type MethodTable, method } from '../method.ts';
import { count, quantity } from '../param.ts';
import { evidenceResult } from '../result/node.ts';
import { hemiExamples } from './hemi-example.ts';

const MAX_SLOTS = 100;

/** Proofs of what sequencers must not do (protocol section 3). */
export const evidence: MethodTable = {
  hemi_getEvidence: method({
    doc: 'Slots that a sequencer sealed more than once, from a slot on (at most 100 slots): its address, and the headers (RLP) with their seals, which anyone can check.',
    result: evidenceResult,
    example: hemiExamples.hemi_getEvidence,
    params: { fromSlot: quantity.default(0n), count: count.refine((value) => value <= MAX_SLOTS, `must be at most ${MAX_SLOTS}`).default(MAX_SLOTS) },
    async handle(values, { chain }) {
      const found = await chain.evidence(values.fromSlot, values.count);
      return found.map(({ slot, blocks }) => ({
        slot,
        timestamp: blocks[0]?.header.timestamp ?? 0n,
        sequencer: sequencerAt(chain.spec, blocks[0]?.header.timestamp ?? 0n)?.signer ?? null,
        blocks: blocks.map(({ hash, header, seal }) => ({ number: header.number, hash, header: encodeHeader(header), seal })),
      }));
    },
  }),
};
