import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BitcoinRpc, createBitcoindRpc } from '../packages/bitcoin/src/index.ts';
import { Secret } from '../packages/runtime/src/index.ts';
import { freePort } from '../packages/testkit/src/free-port.ts';

/** A bitcoind on a data directory that outlives it. */
export interface BenchBitcoind {
  rpc: BitcoinRpc;
  url: string;
  stop(): Promise<void>;
}

/** The words before a command that keep it on one core, where the machine can do that. */
export function onCore(core: number): string[] {
  try {
    execFileSync('taskset', ['-c', `${core}`, 'true'], { stdio: 'ignore' });
    return ['taskset', '-c', `${core}`];
  } catch {
    return [];
  }
}

/** Starts a bitcoind (BITCOIND, or what scripts/bitcoind.sh finds) on a directory. */
export async function startBenchBitcoind(datadir: string, args: readonly string[], core?: number): Promise<BenchBitcoind> {
  const script = fileURLToPath(new URL('../scripts/bitcoind.sh', import.meta.url));
  const binary = execFileSync('sh', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  const port = await freePort();
  const [user, password] = ['bench', 'bench'];
  const command = [
    ...(core === undefined ? [] : onCore(core)),
    ...[binary, '-regtest', `-datadir=${datadir}`, '-server', '-listen=0', '-connect=0', '-dnsseed=0', '-fixedseeds=0', '-printtoconsole=0'],
    ...['-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', `-rpcport=${port}`, `-rpcuser=${user}`, `-rpcpassword=${password}`],
    ...['-persistmempool=0', '-disablewallet', ...args],
  ];
  const child: ChildProcess = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  process.once('exit', () => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const rpc = createBitcoindRpc({ url, user, password: new Secret(password), timeoutMs: 120_000 });
  for (let tries = 0; ; tries += 1) {
    try {
      await rpc('getblockcount', []);
      break;
    } catch (error) {
      if (child.exitCode !== null || tries > 1200) throw error;
      await sleep(50);
    }
  }
  return {
    rpc,
    url: url.replace('//', `//${user}:${password}@`),
    async stop() {
      await rpc('stop', []).catch(() => child.kill('SIGTERM'));
      await ended;
    },
  };
}
