import type { BlockStore, HeaderChain, Walker } from '@hemid/bitcoin';
import { createCommon, type ExecutedBlock, type ExecutionDeps, recoverSenders } from '@hemid/hvm';
import { type ChainSpec, equal, isHemidError, isSystemEnvelope, type SealedBlock, slotAt, toHex } from '@hemid/protocol';
import { type Batch, type Follower, followInSteps, layout, routeBetween, type Store } from '@hemid/store';
import { supplyAfter } from './accounting.ts';
import { checkSeal } from './block-rule.ts';
import { canonicalNumbers, createHistoryProofs, createKeystoneIndex, transactionIndex, tunnelIndex } from './canonical-follower.ts';
import { readTipHash } from './canonical-header.ts';
import { openChainParts } from './chain-parts.ts';
import type { ChainReader, HeadChange } from './chain-reader.ts';
import { assertCheckpoint, type Checkpoint } from './checkpoint.ts';
import { fail } from './errors.ts';
import { createHeadChoice } from './head-choice.ts';
import type { Decision } from './head-decision.ts';
import { isKeystone } from './keystone-of.ts';
import { isSameLabels, type Labels, putLabels, readLabels } from './labels.ts';
import { createLogIndex } from './log-index.ts';
import { createMutex } from './mutex.ts';
import { openGenesis } from './open-genesis.ts';
import type { Anchors, Derivation, PlacedL2Header } from './ports.ts';
import { type BlockChoice, type PreparedBlock, prepareBlock } from './preparation.ts';
import { cutAbove, freeSlots, type Rollback, type RollbackOptions } from './rollback.ts';
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
  /** Branches that do not contain it are not chosen. */
  checkpoint?: Checkpoint | undefined;
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
   * are imported again when they come again. Slots stay sealed, unless this is a development chain and they are asked to be freed.
   *
   * @throws `chain/not-found` when there are not so many, `hvm/state-pruned` when the state there is not kept.
   */
  rollback(count: bigint, options?: RollbackOptions): Promise<Rollback>;
  /** Evaluates fork choice anew, after a new Bitcoin tip. */
  reconsider(): Promise<void>;
  /** The labelled heads, and what `finalized` rests on. */
  labels(): Labels;
  /** Sets the labelled heads (finality decides them); `finalized` is on disk before anybody hears of it. */
  setLabels(labels: Labels): Promise<void>;
}

/**
 * Opens the chain of a store, writing the genesis if it is empty.
 *
 * @throws `chain/other-spec` when the store belongs to another genesis, `chain/checkpoint` when the checkpoint does.
 */
export async function openChain(deps: ChainDeps): Promise<Chain> {
  const { spec, store, headers } = deps;
  const parts = openChainParts({
    ...deps,
    common: createCommon(spec),
    states: { window: deps.stateWindow, hotBytes: deps.stateCacheBytes },
    held: (hash) => choice.held(hash),
  });
  const { archive, canonical, states, execution, isCanonical, parentOf, ancestorOf, keystone, queries } = parts;
  const headerAt = canonical.at;
  const mutex = createMutex();
  const listeners = new Set<(change: HeadChange) => void>();

  const genesis = await openGenesis(store, archive, execution);
  await states.warm();
  const leaves = new Map<string, PlacedL2Header>();
  for await (const [hash] of store.range(layout.leaf)) leaves.set(toHex(hash), archive.getHeader(hash));
  const tip = await readTipHash(store);
  let head = tip === undefined ? genesis : archive.getHeader(tip);
  let labels = readLabels({ store, genesis, header: archive.readHeader, isCanonical });
  if (deps.checkpoint !== undefined) assertCheckpoint(deps.checkpoint, genesis, archive.readHeader(deps.checkpoint.hash));

  const stateFollower: Follower<SealedBlock> = {
    name: 'state',
    apply: ({ block, hash }, batch) => states.apply({ hash, number: block.header.number }, batch),
    applyInSteps: ({ block, hash }, batch) => states.applyInSteps({ hash, number: block.header.number }, batch),
    revert: ({ block, hash }, batch) => states.revert({ hash, number: block.header.number }, batch),
  };
  const indices = [transactionIndex, tunnelIndex, createLogIndex(archive.readReceipts), createKeystoneIndex(spec, headers, ancestorOf)];
  const followers = [canonicalNumbers, ...indices, stateFollower, createHistoryProofs(spec)];
  const preparationDeps = { ...deps, execution, ancestorOf };
  const tree = {
    parent: parentOf,
    position: (block: PlacedL2Header) => deps.anchors.position(block),
    isKeystone: (number: bigint) => isKeystone(spec, number),
  };
  const choice = createHeadChoice({ ...deps, checkpoint: deps.checkpoint, tree, header: archive.readHeader, ancestorOf });

  function decide(among: ReadonlyMap<string, PlacedL2Header>): Promise<Decision> {
    const held = labels.proof === undefined ? undefined : archive.readHeader(labels.proof.keystoneHash);
    return choice.decide([...among.values()], { head, held });
  }

  /** What is on disk now stands: tells everybody, if it is anything. */
  function settle(decision: Decision, change: HeadChange | undefined): void {
    head = decision.head;
    if (choice.settle(decision) || change !== undefined) announce(change ?? { removed: [], added: [] });
  }

  function announce(change: HeadChange): void {
    canonical.forget(change);
    for (const listener of listeners) listener(change);
  }

  /** Puts the move of the canonical chain to `target` into `batch`. */
  async function moveHead(target: PlacedL2Header, batch: Batch, fresh?: SealedBlock): Promise<HeadChange> {
    const route = routeBetween(parts.tree, head.hash, target.hash);
    const load = (hash: Uint8Array): SealedBlock =>
      fresh !== undefined && equal(hash, fresh.hash) ? fresh : (archive.readBlock(hash) as SealedBlock);
    for (const _ of followInSteps({ followers, route, load, batch })) await execution.pause?.();
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
    await execution.pause?.();
    states.stage(executed.hash, executed);
    keepSlotEvidence({ spec, archive, headerAt, isCanonical, parentOf }, leaves.values(), sealed, batch);
    batch.put(layout.leaf, placed.hash, placed.header.number);
    batch.del(layout.leaf, placed.header.parentHash);
    extra(batch);
    const nextLeaves = new Map(leaves);
    nextLeaves.delete(toHex(placed.header.parentHash));
    nextLeaves.set(toHex(placed.hash), placed);
    const decision = await decide(nextLeaves);
    choice.remember(batch);
    const change = equal(decision.head.hash, head.hash) ? undefined : await moveHead(decision.head, batch, sealed);
    states.keep(executed.hash, batch);
    await execution.pause?.();
    await batch.commit();
    leaves.clear();
    for (const [key, leaf] of nextLeaves) leaves.set(key, leaf);
    choice.release(sealed.hash);
    settle(decision, change);
    return sealed;
  }

  async function rollback(count: bigint, { slots }: RollbackOptions): Promise<Rollback> {
    const target = count > head.header.number ? undefined : headerAt(head.header.number - count);
    if (target === undefined) throw fail('chain/not-found', `there is no block ${count} below the head: the head is block ${head.header.number}`);
    const batch = store.batch();
    const change = await moveHead(target, batch);
    const cut = cutAbove(target, { archive, leaves: leaves.values(), batch });
    if (slots === 'freed') freeSlots(spec, change.removed, batch);
    if (labels.finalized.header.number > target.header.number) labels = { safe: target, finalized: target };
    if (labels.safe.header.number > target.header.number) labels = { ...labels, safe: target };
    putLabels(labels, batch);
    await batch.commit();
    leaves.clear();
    for (const leaf of cut.leaves) leaves.set(toHex(leaf.hash), leaf);
    head = target;
    announce(change);
    return { head, removed: change.removed, dropped: cut.dropped };
  }

  async function reconsider(): Promise<void> {
    const batch = store.batch();
    const decision = await decide(leaves);
    const change = equal(decision.head.hash, head.hash) ? undefined : await moveHead(decision.head, batch);
    if (choice.remember(batch) || change !== undefined) await batch.commit();
    settle(decision, change);
  }

  async function importNew(sealed: SealedBlock): Promise<void> {
    choice.assertExtends(head, sealed);
    try {
      await commit(await verifyBlock({ ...preparationDeps, archive }, sealed), sealed.seal, () => undefined);
    } catch (error) {
      if (isHemidError(error) && error.severity === 'retry') await keepWaiting(sealed);
      else choice.release(sealed.hash);
      throw describe(error, sealed);
    }
  }

  /** Remembers the header of a sealed block that cannot be executed yet: its branch may be in conflict with the head's. */
  async function keepWaiting(sealed: SealedBlock): Promise<void> {
    const { header } = sealed.block;
    const parent = choice.held(header.parentHash) ?? archive.readHeader(header.parentHash);
    if (parent === undefined || choice.held(sealed.hash) !== undefined) return;
    try {
      checkSeal(spec, parent.header, sealed);
    } catch (error) {
      throw describe(error, sealed);
    }
    choice.hold({ header, hash: sealed.hash });
    await reconsider();
  }

  function describe(error: unknown, sealed: SealedBlock): unknown {
    if (!isHemidError(error, 'chain/block-invalid')) return error;
    const { number } = sealed.block.header;
    return fail('chain/block-invalid', `block ${number} (${toHex(sealed.hash)}) is invalid: ${error.message}`, {
      details: { ...error.details, number: number.toString(), hash: toHex(sealed.hash) },
      cause: error,
    });
  }

  return {
    ...queries,
    spec,
    execution,
    head: (tag) => (tag === 'latest' ? head : tag === 'earliest' ? genesis : labels[tag]),
    headerAt,
    isCanonical,
    ancestorOf,
    keystone,
    onHead(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    import: (sealed) =>
      mutex.run(async () => {
        if (archive.readHeader(sealed.hash) !== undefined) return 'known' as const;
        await importNew(sealed);
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
    rollback: (count, options = { slots: 'kept' }) => mutex.run(() => rollback(count, options)),
    reconsider: () => mutex.run(reconsider),
    labels: () => labels,
    async setLabels(next) {
      const batch = store.batch();
      putLabels(next, batch);
      if (!equal(next.finalized.hash, labels.finalized.hash) || next.proof !== labels.proof) await batch.commit();
      const changed = !isSameLabels(next, labels);
      labels = next;
      if (changed) announce({ removed: [], added: [] });
    },
    conflict: choice.conflict,
    checkpoint: deps.checkpoint,
  };
}
