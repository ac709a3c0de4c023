import {
  type BitcoinHeader,
  type BitcoinTip,
  type ChainSpec,
  compare,
  decodeBitcoinHeader,
  equal,
  hashBitcoinHeader,
  type PlacedHeader,
  toDigits,
  toDisplay,
} from '@hemid/protocol';
import { type HeaderRow, type Route, routeBetween } from '@hemid/store';
import { fail } from './errors.ts';

/** A valid header with its place and the work from the hVM genesis (excluded) up to it. */
export interface ChainHeader extends PlacedHeader {
  work: bigint;
}

/** Valid Bitcoin headers from the hVM genesis on, side branches too. */
export interface HeaderReader {
  readonly genesis: BitcoinTip;
  /** A known header at or above the hVM genesis, or `undefined`. */
  read(hash: Uint8Array): ChainHeader | undefined;
  /** The ancestor-or-self of a known header at a height, or `undefined` below the hVM genesis or above it. */
  ancestor(hash: Uint8Array, height: number): ChainHeader | undefined;
  /** Whether `ancestor` is `hash` or an ancestor of it; both must be known. */
  isAncestor(ancestor: Uint8Array, hash: Uint8Array): boolean;
  /** The last common ancestor of two known headers. */
  commonAncestor(a: Uint8Array, b: Uint8Array): ChainHeader;
  route(from: Uint8Array, to: Uint8Array): Route;
}

/** A header as the tree holds it. */
export interface Entry extends ChainHeader {
  decoded: BitcoinHeader;
}

/** Valid Bitcoin headers in memory, all branches; what is true of a header is so for ever. */
export interface HeaderTree extends HeaderReader {
  readonly genesis: Entry;
  /** A header that is here, those before the hVM genesis included. */
  find(hash: Uint8Array): Entry | undefined;
  /** @throws `bitcoin/header-orphan` */
  get(hash: Uint8Array): Entry;
  parentOf(entry: Entry): Entry | undefined;
  ancestorOf(entry: Entry, height: number): Entry | undefined;
  remember(row: HeaderRow): Entry;
  /** Lets ancestors on the branch of this tip be found without a walk, however far they are. */
  indexBranch(tip: Entry): void;
}

/** Creates the tree of a chain spec, with the headers that the spec names; `load` gives a row that is not in memory yet. */
export function createHeaderTree(spec: ChainSpec, load: (hash: Uint8Array) => HeaderRow | undefined = () => undefined): HeaderTree {
  const { genesisHeight, genesisHeader, headersBefore } = spec.genesis.bitcoin;
  const lowest = genesisHeight - headersBefore.length;
  const entries = new Map<string, Entry>();
  const branch: string[] = [];
  const key = (hash: Uint8Array): string => toDigits(hash);

  function remember({ header, height, work }: HeaderRow): Entry {
    const entry = { hash: hashBitcoinHeader(header), header, height, work, decoded: decodeBitcoinHeader(header) };
    entries.set(key(entry.hash), entry);
    return entry;
  }

  for (const [i, header] of headersBefore.entries()) remember({ header, height: lowest + i, work: 0n });
  const genesis = remember({ header: genesisHeader, height: genesisHeight, work: 0n });

  function find(hash: Uint8Array): Entry | undefined {
    const known = entries.get(key(hash));
    if (known !== undefined) return known;
    const row = load(hash);
    return row && remember(row);
  }

  function get(hash: Uint8Array): Entry {
    const entry = find(hash);
    if (entry === undefined) throw fail('bitcoin/header-orphan', `the Bitcoin header ${toDisplay(hash)} is not known`);
    return entry;
  }

  const parentOf = (entry: Entry): Entry | undefined => find(entry.decoded.previous);

  function indexBranch(tip: Entry): void {
    branch.length = Math.min(branch.length, tip.height - lowest + 1);
    for (let entry: Entry | undefined = tip; entry !== undefined; entry = parentOf(entry)) {
      const i = entry.height - lowest;
      if (branch[i] === key(entry.hash)) break;
      branch[i] = key(entry.hash);
    }
  }

  function ancestorOf(entry: Entry, height: number): Entry | undefined {
    let current: Entry | undefined = entry;
    while (current !== undefined && current.height > height) {
      const isIndexed: boolean = branch[current.height - lowest] === key(current.hash);
      current = isIndexed && height >= lowest ? entries.get(branch[height - lowest] ?? '') : parentOf(current);
    }
    return current?.height === height ? current : undefined;
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
    genesis,
    find,
    get,
    parentOf,
    ancestorOf,
    remember,
    indexBranch,
    read(hash) {
      const entry = find(hash);
      return entry !== undefined && entry.height >= genesisHeight ? entry : undefined;
    },
    ancestor: (hash, height) => (height < genesisHeight ? undefined : ancestorOf(get(hash), height)),
    isAncestor(ancestor, hash) {
      const entry = get(ancestor);
      const found = ancestorOf(get(hash), entry.height);
      return found !== undefined && equal(found.hash, entry.hash);
    },
    commonAncestor,
    route: (from, to): Route => routeBetween({ height: (hash) => get(hash).height, parent: (hash) => get(hash).decoded.previous }, from, to),
  };
}
