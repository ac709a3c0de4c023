import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../packages/protocol/src/index.ts';
import { systemClock } from '../packages/runtime/src/index.ts';
import { allocation } from './engine-load.ts';
import { startAnvil } from './engine-peer.ts';
import { openGround, startHemidOn } from './hemid-peer.ts';
import type { Peer } from './peer.ts';
import { ACCOUNTS, buildChain } from './rpc-chain.ts';

/* The two that are asked, each with the same blocks; neither makes further ones. */

/** Seconds that the genesis lies back: Bitcoin, and every block, are younger. */
const AGE = 3_000;

/** hemid: a verifier over a data directory that is built here; its upstream does not answer. */
export async function startServer(directory: string, blocks: readonly Uint8Array[][], nodeOptions: readonly string[]): Promise<Peer> {
  mkdirSync(join(directory, 'data'), { recursive: true });
  const genesisSeconds = Math.floor(systemClock.now() / 1000) - AGE;
  const ground = await openGround({ bitcoinSeconds: genesisSeconds - 200, genesisSeconds }, allocation(ACCOUNTS));
  await buildChain(blocks, { specJson: ground.spec, directory: join(directory, 'data', 'node'), bitcoin: ground.bitcoin });
  const flags = ['--role', 'verifier', '--upstream', 'http://127.0.0.1:9', '--upstream-poll-ms', '60000', '--log-level', 'error'];
  return startHemidOn(ground, directory, { flags, nodeOptions });
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
