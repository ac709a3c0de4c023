/** A binary heap that knows where its items stand, so that any of them can be taken out. */
export interface Heap<T> {
  /** Item `i` goes before items `2i + 1` and `2i + 2`; item 0 goes before all. */
  readonly items: readonly T[];
  push(item: T): void;
  /** Takes out the item that goes before all others. */
  shift(): T | undefined;
  /** @returns whether the item was in. */
  delete(item: T): boolean;
}

/**
 * Creates an empty {@link Heap}.
 *
 * @param place the field of an item in which the heap notes where it stands; -1 when it does not.
 * @param before a strict order; an item's place in it does not change while it is in.
 */
export function createHeap<K extends string, T extends Record<K, number>>(place: K, before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  function set(item: T, index: number): void {
    items[index] = item;
    (item as Record<K, number>)[place] = index;
  }

  /** Puts an item where `index` is free, or above it. @returns where. */
  function rise(item: T, index: number): number {
    let free = index;
    while (free > 0) {
      const parent = (free - 1) >> 1;
      const above = items[parent] as T;
      if (!before(item, above)) break;
      set(above, free);
      free = parent;
    }
    set(item, free);
    return free;
  }

  /** Puts an item where `index` is free, or below it. */
  function sink(item: T, index: number): void {
    let free = index;
    for (;;) {
      const left = 2 * free + 1;
      if (left >= items.length) break;
      const right = left + 1;
      const child = right < items.length && before(items[right] as T, items[left] as T) ? right : left;
      const below = items[child] as T;
      if (!before(below, item)) break;
      set(below, free);
      free = child;
    }
    set(item, free);
  }

  function remove(item: T): boolean {
    const index = item[place];
    if (items[index] !== item) return false;
    (item as Record<K, number>)[place] = -1;
    const last = items.pop() as T;
    if (last !== item && rise(last, index) === index) sink(last, index);
    return true;
  }

  return {
    items,
    push(item) {
      rise(item, items.length);
    },
    shift() {
      const [first] = items;
      if (first !== undefined) remove(first);
      return first;
    },
    delete: remove,
  };
}
