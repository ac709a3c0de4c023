import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRegtest } from '../packages/bitcoin/src/index.ts';
import { toHex } from '../packages/protocol/src/index.ts';
import { silentLogger, systemClock } from '../packages/runtime/src/index.ts';
import { openMemoryStore } from '../packages/store/src/index.ts';
import { STRANGER } from '../packages/testkit/src/bitcoin-actor.ts';
import { devSpecJson } from '../packages/testkit/src/dev-spec.ts';
import { allocation, GAS_LIMIT } from './engine-load.ts';
import { end, type Peer, root, startAnvil, waitFor } from './engine-peer.ts';
import { ACCOUNTS, buildChain } from './rpc-chain.ts';

/* The two that are asked, each with the same blocks; neither makes further ones. */

/** Seconds that the genesis lies back: Bitcoin, and every block, are younger. */
const AGE = 3_000;

/** hemid: a verifier over a data directory that is built here; its upstream does not answer. */
export async function startServer(directory: string, blocks: readonly Uint8Array[][], nodeOptions: readonly string[]): Promise<Peer> {
  mkdirSync(join(directory, 'data'), { recursive: true });
  const bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
  const now = Math.floor(systemClock.now() / 1000);
  await bitcoin.mine({ count: 110, address: STRANGER, timeSeconds: (i) => now - AGE - 200 + i });
  const { url: bitcoind } = await bitcoin.serve({ host: '127.0.0.1', port: 0 });
  const specJson = (await devSpecJson(bitcoin.rpc, now - AGE)) as { genesis: Record<string, unknown> };
  Object.assign(specJson.genesis, { gasLimit: GAS_LIMIT, blockTime: 1, allocation: allocation(ACCOUNTS) });
  await buildChain(blocks, { specJson, directory: join(directory, 'data', 'node'), bitcoin });
  const [chain, ready] = [join(directory, 'chain.json'), join(directory, 'ready.json')];
  writeFileSync(chain, JSON.stringify(specJson));
  const flags = [...process.execArgv, ...nodeOptions, join(root, 'apps/node/src/main.ts'), 'node'];
  const options = ['--role', 'verifier', '--upstream', 'http://127.0.0.1:9', '--upstream-poll-ms', '60000', '--chain', chain];
  const places = ['--data', join(directory, 'data'), '--bitcoind', bitcoind, '--rpc-port', '0', '--ready-file', ready, '--log-level', 'error'];
  const child = spawn(process.execPath, [...flags, ...options, ...places], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  await waitFor('hemid', child, async () => existsSync(ready));
  const { rpc } = JSON.parse(readFileSync(ready, 'utf8')) as { rpc: string };
  return {
    url: rpc,
    pid: child.pid ?? 0,
    async stop() {
      await end(child);
      await bitcoin.close();
    },
  };
}

/** anvil, given the same transactions and told where each block ends. */
export async function startAnvilWith(binary: string, directory: string, blocks: readonly Uint8Array[][]): Promise<Peer> {
  const peer = await startAnvil(binary, ['--no-mining', '--order', 'fifo', '--steps-tracing'])(directory, ACCOUNTS);
  const headers = { 'content-type': 'application/json' };
  const ask = async (calls: readonly (readonly unknown[])[]): Promise<void> => {
    const body = JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })));
    const answers = (await (await fetch(peer.url, { method: 'POST', headers, body })).json()) as { error?: { message: string } }[];
    const failed = answers.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(`anvil refused the load: ${failed.error?.message}`);
  };
  for (const raws of blocks) {
    // The calls of a batch are carried out side by side.
    await ask(raws.map((raw) => ['eth_sendRawTransaction', toHex(raw)]));
    await ask([['evm_mine']]);
  }
  return peer;
}
