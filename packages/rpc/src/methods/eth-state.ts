import { z } from 'zod';
import { blockIdOrLatest, getBlockHeader } from '../block-id.ts';
import { type MethodTable, method } from '../method.ts';
import { address, slot } from '../param.ts';
import { showProof } from '../proof-shape.ts';

const MAX_PROOF_SLOTS = 1024;

/** Accounts and storage as a block left them. */
export const ethState: MethodTable = {
  eth_getBalance: method({
    doc: 'The balance of an address, in wei.',
    params: { address, block: blockIdOrLatest },
    handle: async (values, { chain }) => (await chain.stateAt(getBlockHeader(chain, values.block)).account(values.address))?.balance ?? 0n,
  }),
  eth_getTransactionCount: method({
    doc: 'The nonce of an address; with `pending`, that of its next transaction, counting those in the pool.',
    params: { address, block: blockIdOrLatest },
    async handle({ address: account, block }, { chain, pool }) {
      if ('tag' in block && block.tag === 'pending') return pool.nonce(account);
      return (await chain.stateAt(getBlockHeader(chain, block)).account(account))?.nonce ?? 0n;
    },
  }),
  eth_getCode: method({
    doc: 'The code at an address.',
    params: { address, block: blockIdOrLatest },
    handle: (values, { chain }) => chain.stateAt(getBlockHeader(chain, values.block)).code(values.address),
  }),
  eth_getStorageAt: method({
    doc: 'A storage slot of an address, 32 bytes.',
    params: { address, slot, block: blockIdOrLatest },
    handle: (values, { chain }) => chain.stateAt(getBlockHeader(chain, values.block)).storage(values.address, values.slot),
  }),
  eth_getProof: method({
    doc: 'Merkle proofs of an account and of its storage slots (EIP-1186).',
    params: { address, slots: z.array(slot).max(MAX_PROOF_SLOTS, `must be at most ${MAX_PROOF_SLOTS} slots`), block: blockIdOrLatest },
    async handle({ address: account, slots, block }, { chain }) {
      return showProof(await chain.stateAt(getBlockHeader(chain, block)).proof(account, slots), slots);
    },
  }),
};
