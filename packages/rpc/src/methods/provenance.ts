import { fromHex } from '@hemid/protocol';
import { z } from 'zod';
import { blockNumber } from '../block-id.ts';
import { type MethodTable, method } from '../method.ts';
import { count, displayHash } from '../param.ts';
import { provenanceResult } from '../result/provenance.ts';
import { provenanceExample } from './provenance-example.ts';

const withdrawal = z
  .string()
  .regex(/^withdrawal:[0-9]{1,18}$/)
  .transform((text) => ({ withdrawal: BigInt(text.slice('withdrawal:'.length)) }));
const what = z.union(
  [displayHash.transform((text) => ({ hash: fromHex(text) })), withdrawal, blockNumber],
  'must be the hash of an L2 transaction or block, the txid of a deposit, "withdrawal:<id>", a block number, or one of "latest", "safe", "finalized", "earliest"',
);

/** The proof that joins the three logs (protocol section 11). */
export const provenance: MethodTable = {
  hemi_getProvenance: method({
    doc: 'Where a deposit (by its txid), a transaction or a block comes from, or where a withdrawal went (`withdrawal:<id>`, or its transaction once it is settled), link by link, with the proof of it once all links stand; `checkpoint` is the height of the Bitcoin block from which the proof will be checked.',
    result: provenanceResult,
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
