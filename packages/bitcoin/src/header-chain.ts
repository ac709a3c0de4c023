import {
  type BitcoinHeader,
  brokenRule,
  type ChainSpec,
  decodeBitcoinHeader,
  hashBitcoinHeader,
  hasProofOfWork,
  MEDIAN_WINDOW,
  toDisplay,
  toTarget,
  workOf,
} from '@hemid/protocol';
import { type Batch, layout, type Store } from '@hemid/store';
import { fail } from './errors.ts';
import { type ChainHeader, createHeaderTree, type Entry, type HeaderReader } from './header-tree.ts';

/** Every valid Bitcoin header, and the heaviest tip among them (protocol 4.2). It knows nothing of this node's clock. */
export interface HeaderChain extends HeaderReader {
  /** The heaviest header; on a tie the one seen first. */
  best(): ChainHeader;
  /**
   * Checks a connected run of headers and keeps the new ones: when it resolves they are on disk. Those before an
   * invalid one are kept.
   *
   * @returns the placed headers of the run, in order.
   * @throws `bitcoin/header-orphan` when the first one's parent is unknown, `bitcoin/header-invalid` naming the rule.
   */
  add(headers: readonly Uint8Array[]): Promise<ChainHeader[]>;
}

/** The position row of the heaviest header. */
export const BEST = 'best-header';

/** Opens the header chain of a chain spec; headers of earlier runs are read back from the store. */
export async function openHeaderChain(store: Store, spec: ChainSpec): Promise<HeaderChain> {
  const { network, genesisHeight } = spec.genesis.bitcoin;
  const tree = createHeaderTree(spec);
  const { genesis, parentOf, ancestorOf } = tree;
  for await (const [, row] of store.range(layout.bitcoinHeader)) tree.remember(row);
  const bestRow = store.get(layout.position, BEST);
  let best = bestRow === undefined ? genesis : tree.get(bestRow.hash);
  tree.indexBranch(best);

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
    const known = tree.find(hash);
    if (known !== undefined) return known;
    const decoded = decodeBitcoinHeader(header);
    const parent = tree.find(decoded.previous);
    if (parent === undefined || parent.height < genesisHeight) {
      throw fail('bitcoin/header-orphan', `the parent of Bitcoin header ${toDisplay(hash)} is not known`);
    }
    check(decoded, hash, parent);
    const row = { header, height: parent.height + 1, work: parent.work + workOf(toTarget(decoded.bits) ?? 0n) };
    const entry = tree.remember(row);
    batch.put(layout.bitcoinHeader, hash, row);
    if (entry.work > best.work) {
      best = entry;
      tree.indexBranch(best);
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

  const { read, ancestor, isAncestor, commonAncestor, route } = tree;
  return { genesis: { hash: genesis.hash, height: genesis.height }, best: () => best, read, ancestor, isAncestor, commonAncestor, route, add };
}
