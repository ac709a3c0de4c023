import { fromHex } from '@hemid/protocol';
import { z } from 'zod';
import { blockIdOrLatest, getBlockHeader } from '../block-id.ts';
import { type MethodTable, method } from '../method.ts';
import { address, hash, proofKey, slot } from '../param.ts';
import { showProof } from '../proof-shape.ts';
import { proofResult } from '../result/chain.ts';
import { hexBytes, hexQuantity, hexWord } from '../result/scalar.ts';

const MAX_PROOF_SLOTS = 1024;
const MAX_SLOTS = 1024;
const slotsByAddress = z
  .record(z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address'), z.array(hash), 'must be an object of lists of slots by address')
  .refine((record) => Object.keys(record).length > 0, 'must name an address')
  .refine((record) => Object.values(record).reduce((sum, list) => sum + list.length, 0) <= MAX_SLOTS, `must be at most ${MAX_SLOTS} slots`);

/** Accounts and storage as a block left them. */
export const ethState: MethodTable = {
  eth_getBalance: method({
    doc: 'The balance of an address, in wei.',
    result: hexQuantity,
    params: { address, block: blockIdOrLatest },
    handle(values, { chain }) {
      const account = chain.stateAt(getBlockHeader(chain, values.block)).account(values.address);
      // What is here already is not waited for.
      return account instanceof Promise ? account.then((found) => found?.balance ?? 0n) : (account?.balance ?? 0n);
    },
  }),
  eth_getTransactionCount: method({
    doc: 'The nonce of an address; with `pending`, that of its next transaction, counting those in the pool.',
    result: hexQuantity,
    params: { address, block: blockIdOrLatest },
    async handle({ address: account, block }, { chain, pool }) {
      if ('tag' in block && block.tag === 'pending') return pool.nonce(account);
      return (await chain.stateAt(getBlockHeader(chain, block)).account(account))?.nonce ?? 0n;
    },
  }),
  eth_getCode: method({
    doc: 'The code at an address.',
    result: hexBytes,
    params: { address, block: blockIdOrLatest },
    handle: (values, { chain }) => chain.stateAt(getBlockHeader(chain, values.block)).code(values.address),
  }),
  eth_getStorageAt: method({
    doc: 'A storage slot of an address, 32 bytes.',
    result: hexWord,
    params: { address, slot, block: blockIdOrLatest },
    handle: (values, { chain }) => chain.stateAt(getBlockHeader(chain, values.block)).storage(values.address, values.slot),
  }),
  eth_getStorageValues: method({
    doc: 'Storage slots of several addresses, at most 1024 in all, 32 bytes each.',
    result: z.record(z.string(), z.array(hexWord)),
    params: { slots: slotsByAddress, block: blockIdOrLatest },
    async handle({ slots, block }, { chain }) {
      const state = chain.stateAt(getBlockHeader(chain, block));
      const values: Record<string, Uint8Array[]> = {};
      for (const [at, wanted] of Object.entries(slots)) {
        values[at] = [];
        for (const one of wanted) values[at].push(await state.storage(fromHex(at), one));
      }
      return values;
    },
  }),
  eth_getProof: method({
    doc: 'Merkle proofs of an account and of its storage slots (EIP-1186).',
    result: proofResult,
    params: { address, slots: z.array(proofKey).max(MAX_PROOF_SLOTS, `must be at most ${MAX_PROOF_SLOTS} slots`), block: blockIdOrLatest },
    async handle({ address: account, slots, block }, { chain }) {
      const wanted = slots.map(({ slot }) => slot);
      return showProof(await chain.stateAt(getBlockHeader(chain, block)).proof(account, wanted), slots);
    },
  }),
};
