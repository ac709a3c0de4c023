import { devKey } from '@hemid/node';
import { type ChainSpec, hashHeader, type L2Block, type SealedBlock, signSeal } from '@hemid/protocol';

/** Seals a block that somebody changed, with the sequencer's real key unless another is given. */
export function forge(
  spec: ChainSpec,
  honest: SealedBlock,
  change: (block: L2Block) => L2Block,
  key: Uint8Array = devKey('sequencer').secret,
): SealedBlock {
  const { header, transactions } = honest.block;
  const block = change({ header: { ...header }, transactions: [...transactions] });
  const hash = hashHeader(block.header);
  return { block, hash, seal: signSeal(key, BigInt(spec.genesis.chainId), hash) };
}
