import { fromHex } from '@hemid/protocol';
import { z } from 'zod';
import { blockNumber } from '../block-id.ts';
import { type MethodTable, method } from '../method.ts';
import { count, displayHash } from '../param.ts';
import { provenanceExample } from './provenance-example.ts';

const what = z.union(
  [displayHash.transform((text) => ({ hash: fromHex(text) })), blockNumber],
  'must be the hash of an L2 transaction or block, the txid of a deposit, a block number, or one of "latest", "safe", "finalized", "earliest"',
);

/** The proof that joins the three logs (protocol section 11). */
export const provenance: MethodTable = {
  hemi_getProvenance: method({
    doc: 'Where a deposit (by its txid), a transaction or a block comes from, link by link up to its anchor in Bitcoin, with the proof of it once all links stand; `checkpoint` is the Bitcoin height that the proof begins at.',
    example: provenanceExample,
    params: { id: what, checkpoint: count.optional() },
    async handle({ id, checkpoint }, context) {
      const { head } = context.chain;
      const named = 'tag' in id ? { number: head(id.tag === 'pending' ? 'latest' : id.tag).header.number } : id;
      const { provenance: links, proof, missing } = await context.provenance.build(named, { checkpointHeight: checkpoint });
      return { ...links, missing: missing ?? null, proof: proof ?? null };
    },
  }),
};
