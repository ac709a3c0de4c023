import type { Common } from '@ethereumjs/common';
import type { Header } from './header.ts';

/** Blob gas of one blob (EIP-4844). */
export const GAS_PER_BLOB = 131_072n;
/** Execution gas that a blob should be worth at least (EIP-7918). */
const BLOB_BASE_COST = 8192n;

/** factor × e^(numerator / denominator), as EIP-4844 approximates it. */
function fakeExponential(factor: bigint, numerator: bigint, denominator: bigint): bigint {
  let sum = 0n;
  let term = factor * denominator;
  for (let i = 1n; term > 0n; i += 1n) {
    sum += term;
    term = (term * numerator) / (denominator * i);
  }
  return sum / denominator;
}

/** Wei per blob gas at an excess. */
export function blobBaseFee(excess: bigint, rules: Common): bigint {
  return fakeExponential(1n, excess, rules.getBlobGasSchedule().blobGasPriceUpdateFraction);
}

/** Excess blob gas of the block after `parent`, by the rules of that block. */
export function nextExcessBlobGas(parent: Header, rules: Common): bigint {
  const { targetBlobGasPerBlock: target, maxBlobGasPerBlock: max } = rules.getBlobGasSchedule();
  const excess = parent.excessBlobGas ?? 0n;
  const used = parent.blobGasUsed ?? 0n;
  if (excess + used < target) return 0n;
  const isReserved = rules.isActivatedEIP(7918) && BLOB_BASE_COST * (parent.baseFeePerGas ?? 0n) > GAS_PER_BLOB * blobBaseFee(excess, rules);
  return isReserved ? excess + (used * (max - target)) / max : excess + used - target;
}
