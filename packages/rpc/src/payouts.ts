import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { decodePayout, decodeSystemTransaction, PAYOUT_TYPE } from '@hemid/protocol';

/** The PoP rewards that a block pays (protocol section 9). */
export function payoutsIn(chain: ChainReader, block: PlacedL2Header) {
  const { header, hash } = block;
  const raws = chain.block(hash)?.block.transactions.filter((raw) => raw[0] === PAYOUT_TYPE) ?? [];
  return raws.map((raw) => {
    const { blockRewarded, miners, amounts } = decodePayout(decodeSystemTransaction(raw).data);
    return {
      keystone: { number: blockRewarded, hash: chain.ancestorOf(block, blockRewarded).hash },
      block: { number: header.number, hash },
      payees: miners.map((miner, i) => ({ miner, amount: amounts[i] })),
    };
  });
}
