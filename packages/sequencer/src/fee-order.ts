import { createHeap } from './heap.ts';

/** What a price consists of, in wei per gas. */
export interface Priced {
  /** Most that goes to the sequencer. */
  readonly tip: bigint;
  /** Most that is paid in all. */
  readonly cap: bigint;
  /** `cap - tip`: up to this base fee the whole tip is paid. */
  readonly slack: bigint;
  /** The earlier one goes first at an equal price. */
  readonly arrival: number;
  /** Where it stands in the two heaps of an order; -1 when it does not. Nobody else's business. */
  byPrice: number;
  bySlack: number;
}

/**
 * Items by the tip that they pay at a base fee, for any base fee. While the base fee is at most an item's slack it pays
 * its tip, which no base fee changes; above that it pays `cap - baseFee`, and the order among such items is that of
 * their caps, which no base fee changes either. So there are two heaps, and a new base fee only moves those items from
 * one to the other whose slack lies between the old and the new.
 */
export interface FeeOrder<T extends Priced> {
  add(item: T): void;
  delete(item: T): void;
  /** Two heaps ({@link createHeap}), each in the order of this base fee. Valid until the next change. */
  at(baseFee: bigint): readonly [readonly T[], readonly T[]];
  /** The item at this order's end at a base fee. */
  first(baseFee: bigint): T | undefined;
}

/** Wei per gas that are left for the sequencer at a base fee; negative when the base fee is not reached. */
export function tipAt({ tip, cap, slack }: Pick<Priced, 'tip' | 'cap' | 'slack'>, baseFee: bigint): bigint {
  return slack >= baseFee ? tip : cap - baseFee;
}

const byTip = (a: Priced, b: Priced): boolean => a.tip > b.tip || (a.tip === b.tip && a.arrival < b.arrival);
const byCap = (a: Priced, b: Priced): boolean => a.cap > b.cap || (a.cap === b.cap && a.arrival < b.arrival);

/** Creates an empty order whose first item is the `best` or the `worst` paid one; ties go to the earlier, or the later. */
export function createFeeOrder<T extends Priced>(end: 'best' | 'worst'): FeeOrder<T> {
  type Order = (a: Priced, b: Priced) => boolean;
  const facing = (order: Order): Order => (end === 'best' ? order : (a, b) => order(b, a));
  const whole = createHeap<'byPrice', T>('byPrice', facing(byTip));
  const capped = createHeap<'byPrice', T>('byPrice', facing(byCap));
  /** The next of `whole` to be capped when the base fee rises, and the next of `capped` to pay in whole when it falls. */
  const rising = createHeap<'bySlack', T>('bySlack', (a, b) => a.slack < b.slack);
  const falling = createHeap<'bySlack', T>('bySlack', (a, b) => a.slack > b.slack);
  let current = 0n;

  function add(item: T): void {
    const isWhole = item.slack >= current;
    (isWhole ? whole : capped).push(item);
    (isWhole ? rising : falling).push(item);
  }

  function remove(item: T): void {
    if (whole.delete(item)) rising.delete(item);
    else if (capped.delete(item)) falling.delete(item);
  }

  function move(item: T): void {
    remove(item);
    add(item);
  }

  function at(baseFee: bigint): readonly [readonly T[], readonly T[]] {
    current = baseFee;
    for (let [item] = rising.items; item !== undefined && item.slack < baseFee; [item] = rising.items) move(item);
    for (let [item] = falling.items; item !== undefined && item.slack >= baseFee; [item] = falling.items) move(item);
    return [whole.items, capped.items];
  }

  return {
    add,
    delete: remove,
    at,
    first(baseFee) {
      const [[a], [b]] = at(baseFee);
      if (a === undefined || b === undefined) return a ?? b;
      const [tipA, tipB] = [tipAt(a, baseFee), tipAt(b, baseFee)];
      const isBetter = tipA > tipB || (tipA === tipB && a.arrival < b.arrival);
      return isBetter === (end === 'best') ? a : b;
    },
  };
}
