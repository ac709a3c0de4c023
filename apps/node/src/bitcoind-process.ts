import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { isHemidError } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import { fail } from './errors.ts';

/** A bitcoind on regtest that this process started and will stop. */
export interface BitcoindProcess {
  rpc: BitcoinRpc;
  url: string;
  cookieFile: string;
  stop(): Promise<void>;
}

const RPC_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** A TCP port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when a child has ended. */
function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/**
 * Starts a bitcoind binary on regtest in `directory`, without peers.
 *
 * @throws `node/config` when it does not start, with what it said last.
 */
export async function startBitcoindProcess(
  options: { binary: string; directory: string },
  deps: { clock: Clock; log: Logger },
): Promise<BitcoindProcess> {
  const { binary, directory } = options;
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const args = ['-regtest', `-datadir=${directory}`, '-server', '-listen=0', '-connect=0', '-dnsseed=0', '-fixedseeds=0'];
  args.push('-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', `-rpcport=${port}`, '-fallbackfee=0.0001', '-printtoconsole=0');
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const url = `http://127.0.0.1:${port}`;
  const cookieFile = join(directory, 'regtest', '.cookie');
  const rpc = createBitcoindRpc({ url, cookieFile, timeoutMs: RPC_TIMEOUT_MS });

  async function isUp(): Promise<boolean> {
    try {
      await rpc('getblockcount', []);
      return true;
    } catch (error) {
      if (isHemidError(error) && error.severity === 'retry') return false;
      throw error;
    }
  }

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    await ended(child);
  }

  for (let waitedMs = 0; !(await isUp()); waitedMs += POLL_MS) {
    if (failed !== undefined || child.exitCode !== null || waitedMs > START_TIMEOUT_MS) {
      if (failed === undefined) await stop();
      throw fail('node/config', `bitcoind at ${binary} does not start: ${failed?.message ?? (said.trim() || `exit code ${child.exitCode}`)}`);
    }
    await deps.clock.sleep(POLL_MS);
  }
  deps.log.info({ url }, 'bitcoind started');
  return { rpc, url, cookieFile, stop };
}
