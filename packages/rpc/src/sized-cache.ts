/** Values by name; those not asked for longest go when all together are too large. */
export interface SizedCache<V> {
  /** The value, made by `make` when it is not here; `undefined` is not kept. */
  get(name: string, make: () => V | undefined): V | undefined;
  read(name: string): V | undefined;
  put(name: string, value: V): void;
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

  function read(name: string): V | undefined {
    const known = values.get(name);
    if (known === undefined) return undefined;
    values.delete(name);
    values.set(name, known);
    return known.value;
  }

  function put(name: string, value: V): void {
    const size = sizeOf(value);
    sum += size - (values.get(name)?.size ?? 0);
    values.delete(name);
    values.set(name, { value, size });
    trim();
  }

  return {
    read,
    put,
    get(name, make) {
      const known = read(name);
      if (known !== undefined) return known;
      const value = make();
      if (value !== undefined) put(name, value);
      return value;
    },
  };
}
