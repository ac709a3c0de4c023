import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJsonRpc } from '@hemid/network';
import type { Hex } from '@hemid/protocol';
import { startProgram, waitFor, waitForOutput } from '@hemid/testkit';

/** Accounts of the well-known mnemonic, one for each client, so that no two take the same nonce. */
export const ALICE = {
  address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
  key: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
} as const;
export const BOB = {
  address: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  key: '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
} as const;

/** The types of system transactions (protocol section 3.1). */
export const SYSTEM_TYPES = ['0x7c', '0x7d', '0x7e'] as const;

/** Where a transaction of a type stands. */
export interface Sighting {
  block: number;
  hash: Hex;
}

/** A `hemid dev` process. */
export interface DevNetwork {
  url: string;
  websocket: string;
  call(method: string, ...params: unknown[]): Promise<unknown>;
  /** A transaction of each type of system transaction; waits until there are such. */
  systemTransactions(): Promise<Record<string, Sighting>>;
  close(): Promise<void>;
}

interface Block {
  number: Hex;
  transactions: { type: Hex; hash: Hex }[];
}

/** Starts `hemid dev` in an empty directory, with a Bitcoin block every 0.4 s. */
export async function startDevNetwork(): Promise<DevNetwork> {
  const directory = mkdtempSync(join(tmpdir(), 'hemid-clients-'));
  const data = join(directory, 'net');
  const free = ['--rpc-port', '0', '--bitcoin-rpc-port', '0', '--tbc-address', '127.0.0.1:0', '--finality-address', '127.0.0.1:0'];
  const program = startProgram('apps/node/src/main.ts', ['dev', '--data', data, ...free, '--bitcoin-block-seconds', '0.4', '--quiet']);
  await waitForOutput(program, /Try:/, 180_000);
  const { rpc: url } = JSON.parse(readFileSync(join(data, 'dev.json'), 'utf8')) as { rpc: string };
  const rpc = createJsonRpc(url, { timeoutMs: 30_000 });
  const call: DevNetwork['call'] = (method, ...params) => rpc(method, params);
  const seen: Record<string, Sighting> = {};
  let next = 1;

  /** Looks at the blocks that came since the last time. */
  async function look(): Promise<boolean> {
    for (; next <= Number(await call('eth_blockNumber')); next += 1) {
      const { transactions } = (await call('eth_getBlockByNumber', `0x${next.toString(16)}`, true)) as Block;
      for (const { type, hash } of transactions) seen[type] ??= { block: next, hash };
    }
    return SYSTEM_TYPES.every((type) => seen[type] !== undefined);
  }

  return {
    url,
    websocket: url.replace('http', 'ws'),
    call,
    async systemTransactions() {
      await waitFor(look, { timeoutMs: 180_000, what: () => `system transactions of all types; so far ${JSON.stringify(seen)}` });
      return seen;
    },
    async close() {
      await program.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
