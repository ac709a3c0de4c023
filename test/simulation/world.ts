import type { BitcoinRpc } from '@hemid/bitcoin';
import type { Checkpoint } from '@hemid/chain';
import { createNode, devKey, type Node } from '@hemid/node';
import { addressOfKey, type ChainSpec, isHemidError, parseChainSpec, type SealedBlock, toHex } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore, type Store } from '@hemid/store';
import {
  type BitcoinActor,
  createEmbeddedBitcoin,
  createManualClock,
  createSeededRandom,
  devSpecJson,
  type ManualClock,
  type SeededRandom,
} from '@hemid/testkit';

/** A node with its own view of Bitcoin and of the network. */
export interface Machine {
  name: string;
  node: Node;
  store: Store;
  bitcoin: BitcoinActor;
  /** Blocks on their way to it. */
  inbox: { block: SealedBlock; dueStep: number; sentAt: number }[];
  /** Whether it is held to what every honest node must do. */
  isHonest: boolean;
}

export interface World {
  spec: ChainSpec;
  clock: ManualClock;
  random: SeededRandom;
  /** The Bitcoin of all but one. */
  bitcoin: BitcoinActor;
  /** The Bitcoin of the sequencer that may be left behind on an orphaned branch. */
  lonely: BitcoinActor;
  machines: Machine[];
  step: number;
  /** A machine that takes nothing from others for now. */
  deaf?: Machine | undefined;
  open(name: string, options: { store?: Store; key?: string; bitcoin?: BitcoinActor; checkpoint?: Checkpoint; isHonest?: boolean }): Promise<Machine>;
  /** Sends a block to everybody else, each of whom gets it some steps later. */
  send(from: Machine, blocks: readonly SealedBlock[]): Promise<void>;
  close(): Promise<void>;
}

const START_MS = 1_800_000_000_000;
/** Steps that a block is on its way at most. */
const MAX_DELAY = 6;

/** A world of two sequencers, whose slots alternate, and of nobody else yet. */
export async function createWorld(seed: number): Promise<World> {
  const clock = createManualClock(START_MS);
  const random = createSeededRandom(seed);
  const bitcoin = await createEmbeddedBitcoin(clock);
  const lonely = await createEmbeddedBitcoin(clock);
  const json = (await devSpecJson(bitcoin.rpc, Math.floor(clock.now() / 1000))) as { genesis: { sequencers: unknown } };
  json.genesis.sequencers = ['sequencer', 'sequencer 2'].map((name) => {
    const address = toHex(addressOfKey(devKey(name).publicKey) as Uint8Array);
    return { signer: address, feeRecipient: address };
  });
  const spec = parseChainSpec(json);
  const stores = new Set<Store>();
  const upstream = { sealedBlocks: async () => [], bitcoinBlock: async () => undefined, sendTransaction: async () => new Uint8Array() };
  const world: World = {
    spec,
    clock,
    random,
    bitcoin,
    lonely,
    machines: [],
    step: 0,
    async open(name, options) {
      const store = options.store ?? (await openMemoryStore());
      stores.add(store);
      const own = options.bitcoin ?? bitcoin;
      const onFailure = (error: unknown): void => {
        throw error;
      };
      const role =
        options.key === undefined
          ? ({ kind: 'verifier', upstream, pollMs: 1000 } as const)
          : ({ kind: 'sequencer', key: new Secret(devKey(options.key).secret) } as const);
      const deps = { spec, store, bitcoin: own.rpc, clock, log: silentLogger, onFailure };
      const node = await createNode(deps, { bitcoinPollMs: 1000, role, checkpoint: options.checkpoint });
      await node.bitcoinSync.pull();
      await node.finality.onBitcoinTip();
      await node.settled();
      return { name, node, store, bitcoin: own, inbox: [], isHonest: options.isHonest ?? true };
    },
    async send(from, blocks) {
      const sentAt = await bitcoin.height();
      for (const block of blocks) {
        for (const to of world.machines) {
          if (to !== from) to.inbox.push({ block, dueStep: world.step + random.between(0, MAX_DELAY), sentAt });
        }
      }
    },
    async close() {
      await bitcoin.close();
      await lonely.close();
      for (const store of stores) await store.close();
    },
  };
  return world;
}

/** Looks at the machine's Bitcoin. */
export async function look({ node }: Machine): Promise<void> {
  await node.bitcoinSync.pull();
  await node.settled();
}

/** Imports one block, with the Bitcoin bodies that the machine's Bitcoin node knows. @returns whether it is here now. */
async function receive({ node, bitcoin }: Machine, block: SealedBlock): Promise<boolean> {
  for (;;) {
    try {
      await node.chain.import(block);
      await node.settled();
      return true;
    } catch (error) {
      await node.settled();
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      const missing = isHemidError(error, 'bitcoin/block-missing') ? String(error.details['hash']) : undefined;
      if (missing === undefined || !(await fetchBody({ node, rpc: bitcoin.rpc }, missing))) return false;
    }
  }
}

async function fetchBody({ node, rpc }: { node: Node; rpc: BitcoinRpc }, hash: string): Promise<boolean> {
  try {
    const raw = (await rpc('getblock', [hash, 0])) as string;
    await node.blocks.keepAll([Uint8Array.from(Buffer.from(raw, 'hex'))]);
    return true;
  } catch (error) {
    if (!isHemidError(error, 'bitcoin/rpc')) throw error;
    return false;
  }
}

/** Delivers what is due to a machine, in an order of its own; what waits for something stays on its way. */
export async function deliver(world: World, machine: Machine, isDue: (entry: Machine['inbox'][number]) => boolean): Promise<void> {
  for (let isMoving = machine !== world.deaf; isMoving; ) {
    isMoving = false;
    const due = machine.inbox.filter(isDue).map((entry) => ({ entry, key: world.random.next() }));
    for (const { entry } of due.sort((a, b) => a.key - b.key)) {
      if (!(await receive(machine, entry.block))) continue;
      machine.inbox.splice(machine.inbox.indexOf(entry), 1);
      isMoving = true;
    }
  }
}

/** Gives the lonely Bitcoin node all blocks of the common one; the heavier branch is then its own too. */
export async function relayBitcoin({ bitcoin, lonely }: World): Promise<void> {
  const height = await bitcoin.height();
  for (let h = 1; h <= height; h += 1) {
    const hash = (await bitcoin.rpc('getblockhash', [h])) as string;
    if (h <= (await lonely.height()) && (await lonely.rpc('getblockhash', [h])) === hash) continue;
    await lonely.rpc('submitblock', [(await bitcoin.rpc('getblock', [hash, 0])) as string]);
  }
}
