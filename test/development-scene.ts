import { createNode, createRpcDeps, devKey, type Node, withDevelopment } from '@hemid/node';
import { type ChainSpec, parseChainSpec } from '@hemid/protocol';
import { createLimits, createRpcServer } from '@hemid/rpc';
import { Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore, type Store } from '@hemid/store';
import { type BitcoinActor, createEmbeddedBitcoin, createManualClock, developmentSpecJson, type ManualClock } from '@hemid/testkit';
import { createTestClient, http, publicActions, walletActions } from 'viem';

const START_MS = 1_800_000_000_000;

/** A development network on a manual clock, served, without anything that comes by itself. */
export interface DevelopmentScene {
  spec: ChainSpec;
  clock: ManualClock;
  bitcoin: BitcoinActor;
  store: Store;
  node: Node;
  url: string;
  /** viem's clients of both modes. */
  anvil: ReturnType<typeof connect>;
  hardhat: ReturnType<typeof connect>;
  call(method: string, ...params: unknown[]): Promise<{ result?: unknown; error?: { code: number; message: string } }>;
  /** Another node, on another store or on this one once this scene is stopped. */
  restart(): Promise<DevelopmentScene>;
  /** Throws what failed behind a block. */
  stop(): Promise<void>;
}

function connect(url: string, mode: 'anvil' | 'hardhat') {
  const chain = {
    id: 743_555,
    name: 'hemid dev',
    nativeCurrency: { name: 'hBTC', symbol: 'hBTC', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  };
  return createTestClient({ mode, chain, transport: http(url, { retryCount: 0 }), pollingInterval: 10, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions);
}

type Ground = Pick<DevelopmentScene, 'spec' | 'clock' | 'bitcoin' | 'store'>;

async function openOn(ground: Ground): Promise<DevelopmentScene> {
  const { spec, clock, bitcoin, store } = ground;
  const failures: unknown[] = [];
  const role = { kind: 'sequencer', key: new Secret(devKey('sequencer').secret), development: 'automine' } as const;
  const onFailure = (error: unknown): void => void failures.push(error);
  const node = await createNode({ spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure }, { bitcoinPollMs: 1000, role });
  await node.bitcoinSync.pull();
  const server = createRpcServer(withDevelopment(createRpcDeps(node, { clock, log: silentLogger }), node), {
    host: '127.0.0.1',
    port: 0,
    limits: createLimits({ rpcCheckAnswers: true }),
  });
  await server.start(new AbortController().signal);
  const url = server.url();

  async function stop(): Promise<void> {
    await server.stop();
    await node.settled();
    if (failures.length > 0) throw failures[0];
  }

  return {
    ...ground,
    node,
    url,
    anvil: connect(url, 'anvil'),
    hardhat: connect(url, 'hardhat'),
    async call(method, ...params) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      return (await response.json()) as { result?: unknown };
    },
    async restart() {
      await stop();
      return openOn(ground);
    },
    stop,
  };
}

/** Opens a {@link DevelopmentScene} that builds a block with each transaction. */
export async function openDevelopmentScene(): Promise<DevelopmentScene> {
  const clock = createManualClock(START_MS);
  const bitcoin = await createEmbeddedBitcoin(clock);
  const spec = parseChainSpec(await developmentSpecJson(bitcoin.rpc, Math.floor(clock.now() / 1000)));
  return openOn({ spec, clock, bitcoin, store: await openMemoryStore() });
}
