import {
  type BitcoinHeader,
  type BitcoinTip,
  brokenRule,
  type ChainSpec,
  compare,
  decodeBitcoinHeader,
  equal,
  hashBitcoinHeader,
  hasProofOfWork,
  MEDIAN_WINDOW,
  type PlacedHeader,
  toDigits,
  toDisplay,
  toTarget,
  workOf,
} from '@hemid/protocol';
import { type Batch, layout, type Route, routeBetween, type Store } from '@hemid/store';
import { fail } from './errors.ts';

/** A valid header with its place and the work from the hVM genesis (excluded) up to it. */
export interface ChainHeader extends PlacedHeader {
  work: bigint;
}

/**
 * Every valid Bitcoin header from the hVM genesis on, side branches too, and the heaviest tip among them
 * (protocol 4.2). It knows nothing of this node's clock.
 */
export interface HeaderChain {
  readonly genesis: BitcoinTip;
  /** The heaviest header; on a tie the one seen first. */
  best(): ChainHeader;
  /** A known header at or above the hVM genesis, or `undefined`. */
  read(hash: Uint8Array): ChainHeader | undefined;
  /** The ancestor-or-self of a known header at a height, or `undefined` below the hVM genesis or above it. */
  ancestor(hash: Uint8Array, height: number): ChainHeader | undefined;
  /** Whether `ancestor` is `hash` or an ancestor of it; both must be known. */
  isAncestor(ancestor: Uint8Array, hash: Uint8Array): boolean;
  /** The last common ancestor of two known headers. */
  commonAncestor(a: Uint8Array, b: Uint8Array): ChainHeader;
  route(from: Uint8Array, to: Uint8Array): Route;
  /**
   * Checks a connected run of headers and keeps the new ones: when it resolves they are on disk. Those before an
   * invalid one are kept.
   *
   * @returns the placed headers of the run, in order.
   * @throws `bitcoin/header-orphan` when the first one's parent is unknown, `bitcoin/header-invalid` naming the rule.
   */
  add(headers: readonly Uint8Array[]): Promise<ChainHeader[]>;
}

interface Entry extends ChainHeader {
  decoded: BitcoinHeader;
}

const BEST = 'best-header';

/** Opens the header chain of a chain spec; headers of earlier runs are read back from the store. */
export async function openHeaderChain(store: Store, spec: ChainSpec): Promise<HeaderChain> {
  const { network, genesisHeight, genesisHeader, headersBefore } = spec.genesis.bitcoin;
  const lowest = genesisHeight - headersBefore.length;
  const entries = new Map<string, Entry>();
  const bestBranch: string[] = [];
  const key = (hash: Uint8Array): string => toDigits(hash);

  function remember(header: Uint8Array, height: number, work: bigint): Entry {
    const entry = { hash: hashBitcoinHeader(header), header, height, work, decoded: decodeBitcoinHeader(header) };
    entries.set(key(entry.hash), entry);
    return entry;
  }

  for (const [i, header] of headersBefore.entries()) remember(header, lowest + i, 0n);
  const genesis = remember(genesisHeader, genesisHeight, 0n);
  for await (const [, row] of store.range(layout.bitcoinHeader)) remember(row.header, row.height, row.work);
  const bestRow = store.get(layout.position, BEST);
  let best = bestRow === undefined ? genesis : get(bestRow.hash);
  indexBranch(best);

  function get(hash: Uint8Array): Entry {
    const entry = entries.get(key(hash));
    if (entry === undefined) throw fail('bitcoin/header-orphan', `the Bitcoin header ${toDisplay(hash)} is not known`);
    return entry;
  }

  function parentOf(entry: Entry): Entry | undefined {
    return entries.get(key(entry.decoded.previous));
  }

  /** The best branch as an array from the spec's first header on, so that far ancestors are found without a walk. */
  function indexBranch(tip: Entry): void {
    bestBranch.length = Math.min(bestBranch.length, tip.height - lowest + 1);
    for (let entry: Entry | undefined = tip; entry !== undefined; entry = parentOf(entry)) {
      const i = entry.height - lowest;
      if (bestBranch[i] === key(entry.hash)) break;
      bestBranch[i] = key(entry.hash);
    }
  }

  function ancestorOf(entry: Entry, height: number): Entry | undefined {
    let current: Entry | undefined = entry;
    while (current !== undefined && current.height > height) {
      const onBest: boolean = bestBranch[current.height - lowest] === key(current.hash);
      current = onBest && height >= lowest ? entries.get(bestBranch[height - lowest] ?? '') : parentOf(current);
    }
    return current?.height === height ? current : undefined;
  }

  function reject(rule: string, entry: { hash: Uint8Array; height: number }): never {
    const name = toDisplay(entry.hash);
    throw fail('bitcoin/header-invalid', `Bitcoin header ${name} at height ${entry.height} is invalid: ${rule}`, {
      details: { hash: name, height: entry.height, rule },
    });
  }

  function check(decoded: BitcoinHeader, hash: Uint8Array, parent: Entry): void {
    const height = parent.height + 1;
    const at = { hash, height };
    const times: number[] = [];
    for (let entry: Entry | undefined = parent; entry !== undefined && times.length < MEDIAN_WINDOW; entry = parentOf(entry)) {
      times.push(entry.decoded.time);
    }
    function ancestor(h: number): BitcoinHeader {
      const entry = ancestorOf(parent, h);
      return entry === undefined ? reject(`the spec lacks the header at height ${h} that its difficulty needs`, at) : entry.decoded;
    }
    const rule = brokenRule(network, decoded, { height, times, ancestor });
    if (rule !== undefined) reject(rule, at);
    if (!hasProofOfWork(network, hash, decoded.bits)) reject('proof of work', at);
  }

  function addOne(header: Uint8Array, batch: Batch): Entry {
    const hash = hashBitcoinHeader(header);
    const known = entries.get(key(hash));
    if (known !== undefined) return known;
    const decoded = decodeBitcoinHeader(header);
    const parent = entries.get(key(decoded.previous));
    if (parent === undefined || parent.height < genesisHeight) {
      throw fail('bitcoin/header-orphan', `the parent of Bitcoin header ${toDisplay(hash)} is not known`);
    }
    check(decoded, hash, parent);
    const entry = remember(header, parent.height + 1, parent.work + workOf(toTarget(decoded.bits) ?? 0n));
    batch.put(layout.bitcoinHeader, hash, { header, height: entry.height, work: entry.work });
    if (entry.work > best.work) {
      best = entry;
      indexBranch(best);
      batch.put(layout.position, BEST, { hash, height: entry.height });
    }
    return entry;
  }

  /** Commits follow one another, so that a header is never on disk without its ancestors. */
  let committed: Promise<void> = Promise.resolve();

  async function add(headers: readonly Uint8Array[]): Promise<ChainHeader[]> {
    const batch = store.batch();
    try {
      return headers.map((header) => addOne(header, batch));
    } finally {
      committed = committed.then(() => batch.commit());
      await committed;
    }
  }

  function commonAncestor(a: Uint8Array, b: Uint8Array): Entry {
    let [x, y] = [get(a), get(b)];
    while (compare(x.hash, y.hash) !== 0) {
      const higher = x.height >= y.height ? x : y;
      const parent = parentOf(higher);
      if (parent === undefined) throw fail('bitcoin/header-orphan', 'two Bitcoin headers have no common ancestor');
      if (higher === x) x = parent;
      else y = parent;
    }
    return x;
  }

  return {
    genesis: { hash: genesis.hash, height: genesis.height },
    best: () => best,
    read(hash) {
      const entry = entries.get(key(hash));
      return entry !== undefined && entry.height >= genesisHeight ? entry : undefined;
    },
    ancestor: (hash, height) => (height < genesisHeight ? undefined : ancestorOf(get(hash), height)),
    isAncestor(ancestor, hash) {
      const entry = get(ancestor);
      const found = ancestorOf(get(hash), entry.height);
      return found !== undefined && equal(found.hash, entry.hash);
    },
    commonAncestor,
    route: (from, to) => routeBetween({ height: (hash) => get(hash).height, parent: (hash) => get(hash).decoded.previous }, from, to),
    add,
  };
}
