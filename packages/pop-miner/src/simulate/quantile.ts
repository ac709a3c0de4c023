/** The middle and the far end of many numbers; `undefined` of none. */
export interface Spread {
  median: number | undefined;
  p99: number | undefined;
}

/** Nearest-rank quantiles. */
export function quantileOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number | undefined => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return { median: at(0.5), p99: at(0.99) };
}
