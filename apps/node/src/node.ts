import {
  assertUnspentSet,
  type BitcoinRpc,
  type BitcoinSource,
  type BitcoinSync,
  type BlockStore,
  bitcoinIndex,
  createBitcoinSync,
  createBlockCheck,
  createBlockStore,
  createRpcSource,
  createTipReader,
  createWalker,
  createZmqSubscriber,
  type HeaderChain,
  openHeaderChain,
  type TipReader,
  type Walker,
} from '@hemid/bitcoin';
import { type Anchors, type Chain, type Checkpoint, openChain, type PlacedL2Header } from '@hemid/chain';
import { type AnchorReader, anchorFollower, createAnchorReader, createFinality, createPayoutDerivation, type Finality } from '@hemid/finality';
import { createFollowUpstream, type FollowUpstream, type Upstream } from '@hemid/network';
import { addressOfKey, type ChainSpec, equal, type SealedBlock, toHex } from '@hemid/protocol';
import type { Clock, Logger, Secret, Service } from '@hemid/runtime';
import {
  createBuilder,
  createDevelopmentSequencer,
  createPool,
  createPoolJournal,
  createSlotDuty,
  type DevelopmentSequencer,
  type DevelopmentSequencerOptions,
  POOL_LIMITS,
  type Pool,
  type SlotDuty,
} from '@hemid/sequencer';
import type { Store } from '@hemid/store';
import { createTunnelDerivation } from '@hemid/tunnel';
import { getPublicKey } from '@noble/secp256k1';
import { watchConflict } from './conflict.ts';
import { fail } from './errors.ts';
import { createHeadQueue } from './head-queue.ts';

export interface NodeDeps {
  spec: ChainSpec;
  store: Store;
  /** The Bitcoin node by its RPC, or a source over several of them. */
  bitcoin: BitcoinRpc | BitcoinSource;
  clock: Clock;
  log: Logger;
  /** Called once with the error that makes it impossible to go on. */
  onFailure: (error: unknown) => void;
}

/** What a node keeps, and how much of it. */
export interface NodeLimits {
  /** Blocks below the head whose state stays readable; all of them when left out. */
  stateWindow?: number | undefined;
  /** Memory for rows of the state at the head. */
  stateCacheBytes?: number;
  /** Transactions that the pool of a sequencer holds at most. */
  poolTransactions?: number;
  /** Branches that do not contain this block are not chosen. */
  checkpoint?: Checkpoint | undefined;
}

export interface NodeOptions extends NodeLimits {
  /** How often the Bitcoin node is asked for its tip, in milliseconds. */
  bitcoinPollMs: number;
  /** Where the Bitcoin node publishes `hashblock`, e.g. `tcp://127.0.0.1:28332`. */
  bitcoinZmq?: string;
  /** What the node does besides verifying. */
  role:
    | {
        kind: 'sequencer';
        key: Secret<Uint8Array>;
        onSealed?: (block: SealedBlock) => void;
        /** When blocks of a development chain come; its verbs are there when it is given. */
        development?: DevelopmentSequencerOptions['production'] | undefined;
      }
    | { kind: 'verifier'; upstream: Upstream; pollMs: number };
}

/** A running node's parts, for rpc, heartbeat and tests. */
export interface Node {
  store: Store;
  chain: Chain;
  headers: HeaderChain;
  blocks: BlockStore;
  bitcoinSync: BitcoinSync;
  /** Stands where the chain sends it: where the L2 head sees Bitcoin. */
  index: Walker;
  /** Bitcoin at the node's own best block. */
  tipReader: TipReader;
  anchors: AnchorReader;
  finality: Finality;
  /** Waits for a block: only a sequencer has one. */
  pool: Pool | undefined;
  duty: SlotDuty | undefined;
  /** The duty of a development chain. */
  development: DevelopmentSequencer | undefined;
  follow: FollowUpstream | undefined;
  /** Resolves when all that follows the last head change is done. */
  settled(): Promise<void>;
  /** Blocks below the head whose state stays readable; `undefined`: all. */
  stateWindow: number | undefined;
  /** In the order they are started. */
  services: Service[];
}

/**
 * Wires a node: the one place that knows who fills whose port.
 *
 * @throws `bitcoin/unspent-missing` when the chain spec names an unspent set that has not been loaded,
 * `chain/checkpoint` when the checkpoint contradicts the genesis.
 */
export async function createNode(deps: NodeDeps, options: NodeOptions): Promise<Node> {
  const { spec, store, clock, log, onFailure } = deps;

  // Bitcoin: the node's own best header chain, the bodies, and two walkers over them. The index goes where the
  // chain sends it; the anchors follow the best header.
  const { unspent } = spec.genesis.bitcoin;
  if (unspent !== 'none') assertUnspentSet(store, unspent.hashSerialized);
  const source = typeof deps.bitcoin === 'function' ? createRpcSource(deps.bitcoin) : deps.bitcoin;
  const headers = await openHeaderChain(store, spec);
  const blocks = createBlockStore(store, createBlockCheck(spec.genesis.bitcoin));
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  const anchorWalker = createWalker(anchorFollower, { store, headers, blocks });

  // L2: what is due follows from Bitcoin alone, payouts before the tunnel; fork choice asks for anchors.
  let ancestorOf: ((block: PlacedL2Header, number: bigint) => PlacedL2Header) | undefined;
  const anchors = createAnchorReader({
    spec,
    store,
    headers,
    walker: anchorWalker,
    ancestorOf(block, number) {
      if (ancestorOf === undefined) throw fail('node/config', 'anchors were asked before the chain was open');
      return ancestorOf(block, number);
    },
  });
  const derivations = [createPayoutDerivation(spec, headers), createTunnelDerivation(spec, headers)];
  const chain = await openChain({
    spec,
    store,
    headers,
    blocks,
    index,
    derivations,
    anchors: anchors satisfies Anchors,
    stateWindow: options.stateWindow,
    stateCacheBytes: options.stateCacheBytes,
    checkpoint: options.checkpoint,
  });
  ancestorOf = chain.ancestorOf;
  watchConflict(chain, log);

  // Finality: raised by new Bitcoin tips and by new heads, one after the other.
  const finality = createFinality({ chain, anchors, walker: anchorWalker, headers, blocks });
  const queue = createHeadQueue(onFailure);
  const bitcoinSync = createBitcoinSync(
    { spec, source, headers, blocks, clock, log, onFailure, onTip: () => queue.run(() => finality.onBitcoinTip()) },
    { pollMs: options.bitcoinPollMs },
  );
  const tipReader = createTipReader({ store, spec, headers, blocks, index, tip: anchors.tip });
  const { bitcoinZmq: endpoint } = options;
  const zmq = endpoint === undefined ? [] : [createZmqSubscriber({ clock, log, onMessage: bitcoinSync.wake }, { endpoint, topic: 'hashblock' })];
  chain.onHead((change) => void queue.run(() => finality.onHead(change)));

  if (options.role.kind === 'verifier') {
    const { upstream, pollMs } = options.role;
    const follow = createFollowUpstream({ chain, upstream, source, headers, blocks, clock, log, onFailure }, { pollMs });
    return {
      store,
      chain,
      headers,
      blocks,
      bitcoinSync,
      index,
      tipReader,
      anchors,
      finality,
      follow,
      pool: undefined,
      duty: undefined,
      development: undefined,
      settled: queue.settled,
      stateWindow: options.stateWindow,
      services: [bitcoinSync, ...zmq, follow],
    };
  }

  const { key, onSealed = () => undefined, development: production } = options.role;
  const signer = sequencerAddress(spec, key);
  const limits = { ...POOL_LIMITS, transactions: options.poolTransactions ?? POOL_LIMITS.transactions };
  const pool = createPool({ chain, common: chain.execution.common, clock, log }, limits);
  const journal = createPoolJournal({ pool, store, clock, log, onFailure });
  chain.onHead((change) => {
    // At once, not after finality: the builder waits for it.
    const followed = pool.follow(change).catch(onFailure);
    void queue.run(() => followed);
  });
  const builder = createBuilder({ chain, pool, headers, blocks, clock, log }, { key });
  if (production !== undefined && spec.genesis.development !== true) throw fail('node/config', 'the chain spec is not that of a development network');
  const development = production && createDevelopmentSequencer({ chain, pool, builder, clock, log, onFailure, onSealed }, { signer, production });
  const duty = development ?? createSlotDuty({ spec, builder, clock, log, onFailure, onSealed }, { signer });
  return {
    store,
    chain,
    headers,
    blocks,
    bitcoinSync,
    index,
    tipReader,
    anchors,
    finality,
    pool,
    duty,
    development,
    follow: undefined,
    settled: queue.settled,
    stateWindow: options.stateWindow,
    services: [bitcoinSync, ...zmq, journal, duty],
  };
}

/** The address of the sealing key; @throws `node/not-sequencer` when the spec does not know it. */
function sequencerAddress(spec: ChainSpec, key: Secret<Uint8Array>): Uint8Array {
  const address = addressOfKey(getPublicKey(key.reveal()));
  const all = [...spec.genesis.sequencers, ...spec.upgrades.flatMap((upgrade) => upgrade.sequencers ?? [])];
  if (address !== undefined && all.some(({ signer }) => equal(signer, address))) return address;
  throw fail('node/not-sequencer', `the sequencer key's address ${address === undefined ? '' : toHex(address)} is not a sequencer of the chain spec`);
}
