import type { Derivation } from '@hemid/chain';
import { createLimits, createRpcServer, createRules, type RpcDeps, type RpcServer } from '@hemid/rpc';
import { type Random, silentLogger } from '@hemid/runtime';
import { createManualClock, type ManualClock } from '@hemid/testkit';
import { createPublicClient, createWalletClient, defineChain, type Hex, http, webSocket } from 'viem';
import { signalAbi, signalBytecode } from './signal-contract.ts';
import { alice, CHAIN_ID, GENESIS_TIME, openTestChain, type TestChain } from './test-chain.ts';

// biome-ignore lint/suspicious/noExplicitAny: it is whatever the server sent; each assertion says what it must be.
export type Answer = any;

/** Bytes that differ from call to call, the same in every run. */
function createCountingRandom(): Random {
  let calls = 0;
  return {
    bytes(length) {
      calls += 1;
      return new Uint8Array(length).fill(calls % 256).with(0, calls >> 8);
    },
  };
}

/** A served chain, with viem as its client. */
export interface Fixture extends TestChain {
  clock: ManualClock;
  server: RpcServer;
  deps: RpcDeps;
  /** What /readyz says is missing. */
  reasons: string[];
  client: ReturnType<typeof connect>['client'];
  wallet: ReturnType<typeof connect>['wallet'];
  /** A JSON-RPC call by HTTP: the whole answer. */
  call(method: string, ...params: unknown[]): Promise<Answer>;
  /** A client over a websocket. */
  openSocket(): ReturnType<typeof connectSocket>;
  /** Deploys the contract of these tests and builds its block. */
  deploySignal(): Promise<Hex>;
  /** Calls `ping(value)` on it: the hash of the transaction, which waits in the pool. */
  ping(contract: Hex, value: Hex): Promise<Hex>;
}

const chainOf = (url: string) =>
  defineChain({
    id: CHAIN_ID,
    name: 'rpc-test',
    nativeCurrency: { name: 'hBTC', symbol: 'hBTC', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });

function connect(url: string) {
  const options = { chain: chainOf(url), transport: http(url, { retryCount: 0 }), pollingInterval: 20, cacheTime: 0 };
  return { client: createPublicClient(options), wallet: createWalletClient({ ...options, account: alice }) };
}

function connectSocket(url: string) {
  const transport = webSocket(url.replace('http', 'ws'), { retryCount: 0, reconnect: false, keepAlive: false });
  return createPublicClient({ chain: chainOf(url), transport });
}

/** Opens a chain and serves it on a free port. */
export async function openFixture(derivations: readonly Derivation[] = []): Promise<Fixture> {
  const clock = createManualClock(GENESIS_TIME * 1000);
  const chain = await openTestChain(clock, derivations);
  const reasons: string[] = [];
  const status = {
    clientVersion: 'hemid/test',
    stateWindow: undefined,
    reasons: () => reasons,
    metrics: () => 'hemid_up 1\n',
    syncing: () => (reasons.length === 0 ? (false as const) : { startingBlock: 0n, currentBlock: 1n, highestBlock: 16n }),
  };
  // Nothing is published here, and nothing tunnelled: test/actions has the stories of finality.
  const tip = { hash: new Uint8Array(32), height: 0 };
  const finality = { of: async () => ({ keystone: undefined, best: undefined, tip }), published: () => [], tip: () => tip };
  const payouts = { report: async () => ({ status: 'unpublished' as const, standing: undefined, tipHeight: 0 }) };
  const provenance = { build: async () => ({ provenance: { subject: { kind: 'block', id: '' } } }) };
  const deposit = { status: 'unknown', explanation: 'nowhere', bitcoin: undefined, dueAtHeight: undefined, deposit: undefined, onL2: undefined };
  const sums = { creditedSats: 0n, requestedSats: 0n, settledSats: 0n, requests: 0n, reserveSats: 0n, liabilitySats: 0n, deficitSats: 0n };
  const tunnel = {
    deposit: async () => deposit,
    withdrawal: async () => undefined,
    reserves: async () => ({ ...sums, vaults: [], isBreached: false }),
    recoverable: async () => ({ payments: [], next: undefined }),
  };
  const rules = createRules();
  const deps = { ...chain, finality, payouts, provenance, tunnel, status, rules, clock, random: createCountingRandom(), log: silentLogger };
  const server = createRpcServer(deps, { host: '127.0.0.1', port: 0, limits: createLimits({ rpcCheckAnswers: true }) });
  await server.start(new AbortController().signal);
  const { client, wallet } = connect(server.url());

  async function call(method: string, ...params: unknown[]): Promise<Answer> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    return (await fetch(server.url(), { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
  }

  return {
    ...chain,
    clock,
    server,
    deps,
    reasons,
    client,
    wallet,
    call,
    openSocket: () => connectSocket(server.url()),
    async deploySignal() {
      const hash = await wallet.deployContract({ abi: signalAbi, bytecode: signalBytecode });
      await chain.build();
      const { contractAddress } = await client.getTransactionReceipt({ hash });
      return contractAddress as Hex;
    },
    ping: (address, value) => wallet.writeContract({ address, abi: signalAbi, functionName: 'ping', args: [value] }),
    async close() {
      await server.stop();
      await chain.close();
    },
  };
}
