import type { RpcDeps, RpcServer } from '@hemid/rpc';
import { createLimits, createRpcServer } from '@hemid/rpc';
import { silentLogger, systemClock, systemRandom } from '@hemid/runtime';
import type { SharedData } from './data.ts';
import type { Report } from './report.ts';
import { expectForm, expectSchema } from './rpc/answer-schema.ts';
import { createBuilder } from './rpc/build-block.ts';
import { readIoCase } from './rpc/io-case.ts';
import { importPlainChain } from './rpc/plain-chain.ts';
import { createPlainPool } from './rpc/plain-pool.ts';
import { createPlainReader } from './rpc/plain-reader.ts';
import { createPlainRules } from './rpc/plain-rules.ts';
import { expectSameAnswer } from './rpc/same-answer.ts';

const FOLDER = 'conformance/rpc-compat';

/** What the node does otherwise, and why. */
const GAPS: Record<string, string> = {
  'eth_simulateV1/ethSimulate-empty-with-block-num-set-firstblock.io': 'it tries out a block before the merge; this chain has none',
  'eth_simulateV1/ethSimulate-overflow-nonce.io': 'it expects a nonce of 2^64 to begin again at 0; EIP-2681 allows none above 2^64 - 2',
};

const notHere = (): never => {
  throw new Error('plain Ethereum has no such thing');
};

async function send(server: RpcServer, body: string): Promise<unknown> {
  const response = await fetch(server.url(), { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return response.json();
}

/** Suite `rpc-compat`: the Ethereum execution-apis tests. Their chain is executed here; the node's own RPC serves it over HTTP. */
export async function rpcCompatSuite(data: SharedData, report: Report): Promise<void> {
  const plain = await importPlainChain(data, FOLDER);
  const chain = createPlainReader(plain);
  const pool = createPlainPool(chain);
  const build = createBuilder(plain, pool);
  const status: RpcDeps['status'] = {
    clientVersion: 'hemid/conformance',
    stateWindow: undefined,
    reasons: () => [],
    metrics: () => '',
    syncing: () => false,
  };
  const deps: RpcDeps = {
    chain,
    pool,
    status,
    rules: await createPlainRules(plain),
    bitcoin: { readRaw: notHere, get: notHere },
    finality: { of: notHere, published: notHere, tip: notHere },
    payouts: { report: notHere },
    provenance: { build: notHere },
    tunnel: { deposit: notHere, withdrawal: notHere, reserves: notHere, recoverable: notHere },
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  };
  const server = createRpcServer(deps, { host: '127.0.0.1', port: 0, limits: createLimits({ rpcCheckAnswers: true }) });
  await server.start(new AbortController().signal);

  async function ask(request: string): Promise<unknown> {
    const { id, method, params } = JSON.parse(request) as { id: unknown; method: string; params: unknown[] };
    // This method is the suite's own tool: no node offers it.
    return method === 'testing_buildBlockV1' ? { jsonrpc: '2.0', id, ...(await build(params)) } : send(server, request);
  }

  async function runCase(path: string): Promise<void> {
    const { rounds, isSpecOnly } = readIoCase(data.text(path));
    for (const { request, expected } of rounds) {
      const answer = await ask(request);
      const { method } = JSON.parse(request) as { method: string };
      if (isSpecOnly) expectSchema(method, answer, expected);
      else expectSameAnswer(answer, expected);
      expectForm(method, answer);
    }
  }

  try {
    for (const method of data.list(FOLDER).filter((name) => !name.includes('.'))) {
      for (const file of data.list(`${FOLDER}/${method}`)) {
        const name = `${method}/${file}`;
        if (GAPS[name] === undefined) await report.check(name, () => runCase(`${FOLDER}/${name}`));
        else report.skip(name, GAPS[name]);
      }
    }
  } finally {
    await server.stop();
  }
}
