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

/** Creates an empty {@link Heap}; `before` is a strict order, and an item's place in it does not change while it is in. */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];
  const places = new Map<T, number>();

  function set(item: T, place: number): void {
    items[place] = item;
    places.set(item, place);
  }

  /** Puts an item where `place` is free, or above it. @returns where. */
  function rise(item: T, place: number): number {
    let free = place;
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

  /** Puts an item where `place` is free, or below it. */
  function sink(item: T, place: number): void {
    let free = place;
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
    const place = places.get(item);
    if (place === undefined) return false;
    places.delete(item);
    const last = items.pop() as T;
    if (last !== item && rise(last, place) === place) sink(last, place);
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
