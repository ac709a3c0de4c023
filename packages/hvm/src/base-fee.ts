import type { ChainSpec, L2Header } from '@hemid/protocol';

/** Base fee of the block after `parent`, in wei (EIP-1559 with the spec's elasticity and denominator). */
export function nextBaseFee(spec: ChainSpec, parent: L2Header): bigint {
  const { elasticity, baseFeeDenominator, baseFee } = spec.genesis;
  if (parent.number === 0n) return baseFee;
  const target = parent.gasLimit / elasticity;
  const fee = parent.baseFeePerGas;
  if (parent.gasUsed === target) return fee;
  const difference = parent.gasUsed > target ? parent.gasUsed - target : target - parent.gasUsed;
  const change = (fee * difference) / target / baseFeeDenominator;
  if (parent.gasUsed > target) return fee + (change === 0n ? 1n : change);
  return fee - change;
}
