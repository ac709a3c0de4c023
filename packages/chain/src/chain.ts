import { type BlockStore, createBitcoinView, type HeaderChain, type Walker } from '@hemid/bitcoin';
import {
  createCommon,
  createStateReader,
  createStateStore,
  type ExecutedBlock,
  type ExecutionDeps,
  estimateGas,
  recoverSenders,
  simulate,
} from '@hemid/hvm';
import { type ChainSpec, equal, isHemidError, isSystemEnvelope, type SealedBlock, slotAt, toHex } from '@hemid/protocol';
import { nextTurn } from '@hemid/runtime';
import { type Batch, type Follower, follow, layout, routeBetween, type Store } from '@hemid/store';
import { supplyAfter } from './accounting.ts';
import { createBlockArchive } from './block-archive.ts';
import { bitcoinReference } from './block-rule.ts';
import { canonicalNumbers, createKeystoneIndex, transactionIndex, tunnelIndex } from './canonical-follower.ts';
import type { ChainReader, HeadChange } from './chain-reader.ts';
import { fail } from './errors.ts';
import { chooseHead } from './fork-choice.ts';
import { isKeystone, keystoneOf } from './keystone-of.ts';
import { createMutex } from './mutex.ts';
import { openGenesis } from './open-genesis.ts';
import type { Anchors, Derivation, PlacedL2Header } from './ports.ts';
import { type BlockChoice, type PreparedBlock, prepareBlock } from './preparation.ts';
import { cutAbove, type Rollback } from './rollback.ts';
import { keepSlotEvidence } from './slot-evidence.ts';
import { verifyBlock } from './verification.ts';

export interface ChainDeps {
  spec: ChainSpec;
  store: Store;
  headers: HeaderChain;
  blocks: BlockStore;
  index: Walker;
  derivations: readonly Derivation[];
  anchors: Anchors;
  /** Blocks below the head whose state stays readable; `undefined` keeps all. */
  stateWindow?: number | undefined;
  /** Memory for rows of the state at the head, bytes. */
  stateCacheBytes?: number | undefined;
}

/** What a builder is given: the prepared block, its system transactions already run. */
export type BlockFiller = (prepared: PreparedBlock) => Promise<void>;

/** The canonical L2 chain: import, building, heads, fork choice. */
export interface Chain extends ChainReader {
  readonly execution: ExecutionDeps;
  /**
   * Checks and executes a sealed block and, in one synced batch, keeps it and moves the head if it is better.
   *
   * @returns `known` when it was here already.
   * @throws `chain/block-invalid`; `chain/parent-unknown` and other `retry` errors when data is missing.
   */
  import(sealed: SealedBlock): Promise<'imported' | 'known'>;
  /**
   * Builds a block on `choice.parent`, lets `fill` add user transactions, seals it with `seal`, and commits it with
   * the slot in one synced batch. It is not executed twice.
   *
   * @throws `chain/slot-sealed` when this node sealed a block for the slot before.
   */
  build(choice: BlockChoice, fill: BlockFiller, seal: (hash: Uint8Array) => Uint8Array): Promise<SealedBlock>;
  /** Says that a block will be imported soon: its senders are recovered meanwhile. */
  expect(sealed: SealedBlock): void;
  /** The block this node sealed for a slot, if any. */
  sealedInSlot(slot: bigint): Uint8Array | undefined;
  /**
   * Takes the last `count` canonical blocks back, in one synced batch, and forgets every block above the new head: they
   * are imported again when they come again. Slots stay sealed.
   *
   * @throws `chain/not-found` when there are not so many, `hvm/state-pruned` when the state there is not kept.
   */
  rollback(count: bigint): Promise<Rollback>;
  /** Evaluates fork choice anew, after a new Bitcoin tip. */
  reconsider(): Promise<void>;
  /** Sets the labelled heads (finality decides them). */
  setLabels(labels: { safe: PlacedL2Header; finalized: PlacedL2Header }): void;
}

/**
 * Opens the chain of a store, writing the genesis if it is empty.
 *
 * @throws `chain/other-spec` when the store belongs to another genesis.
 */
export async function openChain(deps: ChainDeps): Promise<Chain> {
  const { spec, store, headers } = deps;
  const archive = createBlockArchive(store);
  const mutex = createMutex();
  const listeners = new Set<(change: HeadChange) => void>();
  const common = createCommon(spec);
  const heightOf = (hash: Uint8Array): bigint => archive.getHeader(hash).header.number;
  const routes = { height: heightOf, parent: (hash: Uint8Array) => archive.getHeader(hash).header.parentHash };
  const states = createStateStore(
    { store, route: (from, to) => routeBetween(routes, from, to), block: (hash) => ({ hash, number: heightOf(hash) }), parent: routes.parent },
    { window: deps.stateWindow, hotBytes: deps.stateCacheBytes },
  );
  const execution: ExecutionDeps = { spec, common, states, pause: nextTurn };

  const genesis = await openGenesis(store, archive, execution);
  await states.warm();
  const leaves = new Map<string, PlacedL2Header>();
  for await (const [hash] of store.range(layout.leaf)) leaves.set(toHex(hash), archive.getHeader(hash));
  let head = await readHead();
  let labels = { safe: genesis, finalized: genesis };

  async function readHead(): Promise<PlacedL2Header> {
    for await (const [, hash] of store.range(layout.canonical, { reverse: true, limit: 1 })) return archive.getHeader(hash);
    return genesis;
  }

  const parentOf = (block: PlacedL2Header): PlacedL2Header => archive.getHeader(block.header.parentHash);

  function headerAt(number: bigint): PlacedL2Header | undefined {
    const hash = store.get(layout.canonical, number);
    return hash === undefined ? undefined : archive.getHeader(hash);
  }

  function isCanonical(placed: PlacedL2Header): boolean {
    const hash = store.get(layout.canonical, placed.header.number);
    return hash !== undefined && equal(hash, placed.hash);
  }

  function ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header {
    let current = block;
    while (current.header.number > number) {
      const canonical = isCanonical(current) ? headerAt(number) : undefined;
      current = canonical ?? parentOf(current);
    }
    return current;
  }

  const keystone = (block: PlacedL2Header) => keystoneOf(spec, headers, block, (number) => ancestorOf(block, number));
  const stateFollower: Follower<SealedBlock> = {
    name: 'state',
    apply: ({ block, hash }, batch) => states.apply({ hash, number: block.header.number }, batch),
    revert: ({ block, hash }, batch) => states.revert({ hash, number: block.header.number }, batch),
  };
  const followers = [canonicalNumbers, transactionIndex, tunnelIndex, createKeystoneIndex(spec, headers, ancestorOf), stateFollower];
  const preparationDeps = { ...deps, execution, ancestorOf };
  const tree = {
    parent: parentOf,
    position: (block: PlacedL2Header) => deps.anchors.position(block),
    isKeystone: (number: bigint) => isKeystone(spec, number),
  };

  function announce(change: HeadChange): void {
    for (const listener of listeners) listener(change);
  }

  /** Puts the move of the canonical chain to `target` into `batch`. */
  function moveHead(target: PlacedL2Header, batch: Batch, fresh?: SealedBlock): HeadChange {
    const route = routeBetween(routes, head.hash, target.hash);
    const load = (hash: Uint8Array): SealedBlock =>
      fresh !== undefined && equal(hash, fresh.hash) ? fresh : (archive.readBlock(hash) as SealedBlock);
    follow(followers, route, load, batch);
    return { removed: route.removed.map((hash) => archive.getHeader(hash)), added: route.added.map((hash) => archive.getHeader(hash)) };
  }

  async function commit(executed: ExecutedBlock, seal: Uint8Array, extra: (batch: Batch) => void): Promise<SealedBlock> {
    await execution.pause?.();
    const sealed: SealedBlock = { block: executed.block, seal, hash: executed.hash };
    const placed: PlacedL2Header = { header: executed.block.header, hash: executed.hash };
    const parent = archive.getSupply(executed.block.header.parentHash);
    const supply = supplyAfter(executed, { parent, genesis: archive.getSupply(genesis.hash) });
    const batch = store.batch();
    archive.put(executed, { seal, supply }, batch);
    states.stage(executed.hash, executed.diff);
    keepSlotEvidence({ spec, archive, headerAt, isCanonical, parentOf }, leaves.values(), sealed, batch);
    batch.put(layout.leaf, placed.hash, placed.header.number);
    batch.del(layout.leaf, placed.header.parentHash);
    extra(batch);
    const nextLeaves = new Map(leaves);
    nextLeaves.delete(toHex(placed.header.parentHash));
    nextLeaves.set(toHex(placed.hash), placed);
    const best = await chooseHead(tree, [...nextLeaves.values()]);
    const change = equal(best.hash, head.hash) ? undefined : moveHead(best, batch, sealed);
    states.keep(executed.hash, batch);
    await execution.pause?.();
    await batch.commit();
    leaves.clear();
    for (const [key, leaf] of nextLeaves) leaves.set(key, leaf);
    if (change !== undefined) {
      head = best;
      announce(change);
    }
    return sealed;
  }

  async function rollback(count: bigint): Promise<Rollback> {
    const target = count > head.header.number ? undefined : headerAt(head.header.number - count);
    if (target === undefined) throw fail('chain/not-found', `there is no block ${count} below the head: the head is block ${head.header.number}`);
    const batch = store.batch();
    const change = moveHead(target, batch);
    const cut = cutAbove(target, { archive, leaves: leaves.values(), batch });
    await batch.commit();
    leaves.clear();
    for (const leaf of cut.leaves) leaves.set(toHex(leaf.hash), leaf);
    head = target;
    announce(change);
    return { head, removed: change.removed, dropped: cut.dropped };
  }

  function describe(error: unknown, sealed: SealedBlock): unknown {
    if (!isHemidError(error, 'chain/block-invalid')) return error;
    const { number } = sealed.block.header;
    return fail('chain/block-invalid', `block ${number} (${toHex(sealed.hash)}) is invalid: ${error.message}`, {
      details: { ...error.details, number: number.toString(), hash: toHex(sealed.hash) },
      cause: error,
    });
  }

  const context = (block: PlacedL2Header) => ({
    header: block.header,
    hash: block.hash,
    view: createBitcoinView(deps, bitcoinReference(block.header)),
    ancestorHash: (number: bigint) => (number < 0n || number >= block.header.number ? undefined : ancestorOf(block, number).hash),
  });

  return {
    spec,
    execution,
    head: (tag) => (tag === 'latest' ? head : tag === 'earliest' ? genesis : labels[tag]),
    headerAt,
    header: archive.readHeader,
    isCanonical,
    ancestorOf,
    block: archive.readBlock,
    receipts: archive.readReceipts,
    transaction: (hash) => store.get(layout.transaction, hash),
    tunnelTransaction: (txid) => store.get(layout.tunnelTransaction, txid),
    keystone,
    keystoneBlock(abbreviatedHash) {
      const row = store.get(layout.keystone, abbreviatedHash);
      return row === undefined ? undefined : archive.readHeader(row.blockHash);
    },
    stateAt: (block) => createStateReader(states.source(block.hash), block.header.stateRoot),
    viewAt: (block) => context(block).view,
    simulate: (block, message) => simulate(execution, context(block), message),
    estimateGas: (block, message) => estimateGas(execution, context(block), message),
    onHead(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    import: (sealed) =>
      mutex.run(async () => {
        if (archive.readHeader(sealed.hash) !== undefined) return 'known' as const;
        try {
          await commit(await verifyBlock({ ...preparationDeps, archive }, sealed), sealed.seal, () => undefined);
        } catch (error) {
          throw describe(error, sealed);
        }
        return 'imported' as const;
      }),
    expect(sealed) {
      void recoverSenders(sealed.block.transactions.filter((raw) => !isSystemEnvelope(raw)));
    },
    build: (choice, fill, seal) =>
      mutex.run(async () => {
        const slot = slotAt(spec, choice.timestamp) ?? 0n;
        if (store.get(layout.sealedSlot, slot) !== undefined) throw fail('chain/slot-sealed', `a block was sealed for slot ${slot} before`);
        const prepared = await prepareBlock(preparationDeps, choice);
        await prepared.runSystem();
        await fill(prepared);
        const executed = await prepared.execution.finish();
        return commit(executed, seal(executed.hash), (batch) => batch.put(layout.sealedSlot, slot, executed.hash));
      }),
    sealedInSlot: (slot) => store.get(layout.sealedSlot, slot),
    rollback: (count) => mutex.run(() => rollback(count)),
    reconsider: () =>
      mutex.run(async () => {
        const best = await chooseHead(tree, [...leaves.values()]);
        if (equal(best.hash, head.hash)) return;
        const batch = store.batch();
        const change = moveHead(best, batch);
        await batch.commit();
        head = best;
        announce(change);
      }),
    setLabels(next) {
      const changed = !equal(next.safe.hash, labels.safe.hash) || !equal(next.finalized.hash, labels.finalized.hash);
      labels = next;
      if (changed) announce({ removed: [], added: [] });
    },
  };
}
