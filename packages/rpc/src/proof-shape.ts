import type { StateReader } from '@hemid/hvm';

import type { ProofKey } from './param.ts';

type Proof = Awaited<ReturnType<StateReader['proof']>>;

/** An EIP-1186 proof as geth shows it: values are quantities, and an absent account has its slots too. */
export function showProof(proof: Proof, slots: readonly ProofKey[]): object {
  const storageProof = slots.map(({ key }, i) => {
    const proven = proof.storageProof[i];
    return { key, value: BigInt(proven?.value ?? 0), proof: proven?.proof ?? [] };
  });
  return { ...proof, storageProof };
}
