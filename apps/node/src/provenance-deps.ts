import type { ProvenanceDeps } from '@hemid/provenance';
import { reportWithdrawal } from '@hemid/tunnel';
import type { Node } from './node.ts';

/** What the builder of proofs reads of a node. */
export function createProvenanceDeps({ chain, headers, blocks, finality }: Node): ProvenanceDeps {
  return {
    spec: chain.spec,
    chain,
    bitcoin: {
      tip: () => headers.best(),
      ancestor: headers.ancestor,
      heightOf: (hash) => headers.read(hash)?.height,
      transactions: (hash) => blocks.get(hash).transactions,
      placeOf: (txid) => chain.viewAt(chain.head('latest')).transaction(txid),
    },
    finality,
    tunnel: { withdrawal: (id) => reportWithdrawal(chain, id) },
  };
}
