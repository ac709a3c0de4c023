/** Values by name; those not asked for longest go when all together are too large. */
export interface SizedCache<V> {
  /** The value, made by `make` when it is not here; `undefined` is not kept. */
  get(name: string, make: () => V | undefined): V | undefined;
}

/** Creates a {@link SizedCache} of values whose sizes add up to `most` at most. */
export function createSizedCache<V>(most: number, sizeOf: (value: V) => number): SizedCache<V> {
  const values = new Map<string, { value: V; size: number }>();
  let sum = 0;

  function trim(): void {
    for (const [name, { size }] of values) {
      if (sum <= most) return;
      values.delete(name);
      sum -= size;
    }
  }

  return {
    get(name, make) {
      const known = values.get(name);
      if (known !== undefined) {
        values.delete(name);
        values.set(name, known);
        return known.value;
      }
      const value = make();
      if (value === undefined) return undefined;
      const size = sizeOf(value);
      values.set(name, { value, size });
      sum += size;
      trim();
      return value;
    },
  };
}
