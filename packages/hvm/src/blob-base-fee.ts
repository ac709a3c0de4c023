import type { Block } from '@ethereumjs/block';

/** A block in which blob gas costs so much, in wei; blocks themselves are frozen, and derive the price. */
export function withBlobBaseFee(block: Block, blobBaseFee: bigint | undefined): Block {
  if (blobBaseFee === undefined) return block;
  const header = Object.create(block.header, { getBlobGasPrice: { value: () => blobBaseFee } });
  return Object.create(block, { header: { value: header } });
}
