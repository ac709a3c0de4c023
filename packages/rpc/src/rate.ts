import type { Clock } from '@hemid/runtime';

/** Calls that clients may still make. */
export interface Rates {
  /** Takes a call from what an address has left; `false` when nothing is. */
  take(address: string): boolean;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Seconds for which an address can save up. */
const BURST_SECONDS = 5;
/** Addresses that are remembered; those that have everything left are forgotten first. */
const MAX_ADDRESSES = 10_000;

/** Counts calls by address: `perSecond` on average, 0 for no limit. */
export function createRates(clock: Clock, perSecond: number): Rates {
  if (perSecond === 0) return { take: () => true };
  const most = perSecond * BURST_SECONDS;
  const buckets = new Map<string, Bucket>();

  function refill(bucket: Bucket): void {
    const now = clock.now();
    bucket.left = Math.min(most, bucket.left + ((now - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = now;
  }

  function forget(): void {
    for (const [address, bucket] of buckets) {
      refill(bucket);
      if (bucket.left >= most) buckets.delete(address);
    }
    if (buckets.size >= MAX_ADDRESSES) buckets.clear();
  }

  return {
    take(address) {
      const bucket = buckets.get(address) ?? { left: most, atMs: clock.now() };
      refill(bucket);
      if (!buckets.has(address) && buckets.size >= MAX_ADDRESSES) forget();
      buckets.set(address, bucket);
      if (bucket.left < 1) return false;
      bucket.left -= 1;
      return true;
    },
  };
}
