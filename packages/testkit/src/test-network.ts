import type { BitcoinRpc } from '@hemid/bitcoin';
import { createNode, devKey, type Node, type NodeLimits } from '@hemid/node';
import { type ChainSpec, decodeSealedBlock, encodeSealedBlock, fromDisplay, parseChainSpec, type SealedBlock, toDisplay } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore, type Store } from '@hemid/store';
import { type BitcoinActor, createEmbeddedBitcoin } from './bitcoin-actor.ts';
import { devSpecJson } from './dev-spec.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

/** A node on the manual clock, without loops: its verbs make it do its work. */
export interface NodeActor {
  node: Node;
  store: Store;
  /** Looks at Bitcoin, and waits until finality has followed. */
  look(): Promise<void>;
}

export interface SequencerActor extends NodeActor {
  /** Looks at Bitcoin and builds a block in each of the next `count` slots. */
  build(count?: number): Promise<SealedBlock>;
}

export interface VerifierActor extends NodeActor {
  /** Looks at Bitcoin, then fetches and verifies what the sequencer has. */
  sync(): Promise<void>;
  /** Imports one block as if a peer had sent it. */
  receive(block: SealedBlock): Promise<'imported' | 'known'>;
}

/** Actors on one manual clock and one Bitcoin. */
export interface TestNetwork {
  spec: ChainSpec;
  clock: ManualClock;
  bitcoin: BitcoinActor;
  sequencer: SequencerActor;
  /** A new verifier; `bitcoin` is another Bitcoin node than the network's. */
  createVerifier(bitcoin?: BitcoinRpc, limits?: NodeLimits): Promise<VerifierActor>;
  /** Adds an entry to the `upgrades` of the spec that all nodes share; it applies from the next block on. */
  upgrade(entry: Omit<ChainSpec['upgrades'][number], 'timestamp'>): void;
  close(): Promise<void>;
}

const START_MS = 1_800_000_000_000;

export interface TestNetworkOptions {
  /** Another Bitcoin than an embedded one of its own. */
  bitcoin?: BitcoinActor;
  /** Another store of the sequencer than one in memory; it is closed with the network. */
  store?: Store;
}

/** A network of `hemid dev`'s spec, without the rules of development: Bitcoin with 110 blocks or more, one sequencer. */
export async function createTestNetwork(options: TestNetworkOptions = {}): Promise<TestNetwork> {
  const clock = createManualClock(START_MS);
  const bitcoin = options.bitcoin ?? (await createEmbeddedBitcoin(clock));
  const spec = parseChainSpec(await devSpecJson(bitcoin.rpc, Math.floor(clock.now() / 1000)));
  const failures: unknown[] = [];
  const common = { spec, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure: (error: unknown) => void failures.push(error) };
  const stores: Store[] = [];

  function check(): void {
    const [first] = failures.splice(0);
    if (first !== undefined) throw first;
  }

  async function look(node: Node): Promise<void> {
    await node.bitcoinSync.pull();
    await node.settled();
    check();
  }

  async function createSequencer(): Promise<SequencerActor> {
    const store = options.store ?? (await openMemoryStore());
    stores.push(store);
    const key = new Secret(devKey('sequencer').secret);
    const node = await createNode({ ...common, store }, { bitcoinPollMs: 1000, role: { kind: 'sequencer', key } });
    return {
      node,
      store,
      look: () => look(node),
      async build(count = 1) {
        let sealed: SealedBlock | undefined;
        for (let i = 0; i < count; i += 1) {
          await clock.advance(spec.genesis.blockTime * 1000);
          await look(node);
          sealed = await node.duty?.tick();
          await node.settled();
          check();
        }
        if (sealed === undefined) throw new Error('the sequencer built no block in this slot');
        return sealed;
      },
    };
  }

  const sequencer = await createSequencer();
  /** The sequencer as an upstream, through the wire format. */
  const upstream = {
    async sealedBlocks(from: bigint, count: number) {
      const blocks: SealedBlock[] = [];
      for (let number = from; number < from + BigInt(count); number += 1n) {
        const placed = sequencer.node.chain.headerAt(number);
        const block = placed === undefined ? undefined : sequencer.node.chain.block(placed.hash);
        if (block === undefined) break;
        blocks.push(decodeSealedBlock(encodeSealedBlock(block)));
      }
      return blocks;
    },
    bitcoinBlock: async (hash: Uint8Array) => sequencer.node.blocks.readRaw(fromDisplay(toDisplay(hash))),
    sendTransaction: async (raw: Uint8Array) => {
      if (sequencer.node.pool === undefined) throw new Error('the sequencer has no pool');
      return sequencer.node.pool.submit(raw);
    },
  };

  return {
    spec,
    clock,
    bitcoin,
    sequencer,
    async createVerifier(rpc = bitcoin.rpc, limits = {}) {
      const store = await openMemoryStore();
      stores.push(store);
      const role = { kind: 'verifier', upstream, pollMs: 1000 } as const;
      const node = await createNode({ ...common, bitcoin: rpc, store }, { ...limits, bitcoinPollMs: 1000, role });
      return {
        node,
        store,
        look: () => look(node),
        async sync() {
          await look(node);
          await node.follow?.pull();
          await node.settled();
          check();
        },
        async receive(block) {
          const result = await node.chain.import(block);
          await node.settled();
          check();
          return result;
        },
      };
    },
    upgrade(entry) {
      spec.upgrades.push({ timestamp: Number(sequencer.node.chain.head('latest').header.timestamp) + 1, ...entry });
    },
    async close() {
      await bitcoin.close();
      for (const store of stores) await store.close();
    },
  };
}
