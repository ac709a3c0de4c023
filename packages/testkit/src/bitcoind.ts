import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { isHemidError } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { freePort } from './free-port.ts';

export interface StartBitcoindOptions {
  /** More arguments; the last one of a name counts. */
  args?: readonly string[];
  /** RPC port, kept over restarts; a free one for each start when left out. */
  port?: number;
}

/** A real Bitcoin node (Core or Knots) on its own regtest chain, connected to nobody. */
export interface Bitcoind {
  rpc: BitcoinRpc;
  url: string;
  user: string;
  password: string;
  datadir: string;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
  /** Kills it (SIGKILL); its data stays for {@link restart}. */
  kill(): Promise<void>;
  /** Starts it again on its data, after an orderly end if it still runs. */
  restart(): Promise<void>;
}

const START_ATTEMPTS = 3;
const START_TIMEOUT_MS = 30_000;

/** The launcher to use: `BITCOIND`, or what scripts/bitcoind.sh finds or fetches. Throws when there is none. */
function findBitcoind(): string {
  const given = process.env['BITCOIND'];
  if (given !== undefined && given !== '') return given;
  const script = fileURLToPath(new URL('../../../scripts/bitcoind.sh', import.meta.url));
  return execFileSync('sh', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

/** Starts a bitcoind with an empty data directory, and waits until it answers. */
export async function startBitcoind({ args = [], port }: StartBitcoindOptions = {}): Promise<Bitcoind> {
  const launcher = findBitcoind();
  // Knots would else put old coins first, where Core orders a block by fee alone; Core does not know the option.
  const isKnots = execFileSync(launcher, ['-version'], { encoding: 'utf8' }).includes('Knots');
  const own = isKnots ? ['-blockprioritysize=0', '-corepolicy=0'] : [];
  const datadir = mkdtempSync(join(tmpdir(), 'hemid-bitcoind-'));
  const login = { user: 'hemid', password: 'hemid' };
  let running = await launch();

  /** Another process may take the free port first: then another port is tried. */
  async function launch(): Promise<Running> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run({ launcher, datadir, args: [...own, ...args], ...login, port: port ?? (await freePort()) });
      } catch (error) {
        if (attempt === START_ATTEMPTS || !/Unable to bind|Address already in use/i.test(String(error))) throw error;
      }
    }
  }

  async function end(): Promise<void> {
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    running.child.kill('SIGTERM');
    await running.ended;
  }

  return {
    ...login,
    datadir,
    get url() {
      return running.url;
    },
    rpc: (method, params, signal) => running.rpc(method, params, signal),
    async stop() {
      await end();
      rmSync(datadir, { recursive: true, force: true });
    },
    async kill() {
      running.child.kill('SIGKILL');
      await running.ended;
    },
    async restart() {
      await end();
      running = await launch();
    },
  };
}

interface Running {
  child: ChildProcess;
  rpc: BitcoinRpc;
  url: string;
  ended: Promise<unknown>;
}

interface RunOptions {
  launcher: string;
  datadir: string;
  args: readonly string[];
  user: string;
  password: string;
  port: number;
}

async function run({ launcher, datadir, args, user, password, port }: RunOptions): Promise<Running> {
  const child = spawn(
    launcher,
    [
      ...['-regtest', `-datadir=${datadir}`, '-server', '-txindex=1', '-listen=0', '-connect=0', '-dnsseed=0', '-fixedseeds=0'],
      ...['-rpcbind=127.0.0.1', '-rpcallowip=127.0.0.1', `-rpcport=${port}`, `-rpcuser=${user}`, `-rpcpassword=${password}`],
      ...['-fallbackfee=0.0001', ...args],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said = `${said}${text}`.slice(-4000)));
  const orphaned = (): void => void child.kill('SIGKILL');
  process.once('exit', orphaned);
  const ended = once(child, 'exit').finally(() => process.off('exit', orphaned));
  const url = `http://127.0.0.1:${port}`;
  const rpc = createBitcoindRpc({ url, user, password: new Secret(password), timeoutMs: 60_000 });
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  for (;;) {
    try {
      await rpc('getblockcount', [], deadline);
      return { child, rpc, url, ended };
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`bitcoind ended at once: ${said}`, { cause: error });
      if (!isHemidError(error) || error.severity !== 'retry' || deadline.aborted) {
        child.kill('SIGKILL');
        throw new Error(`bitcoind does not answer: ${said}`, { cause: error });
      }
      await sleep(50);
    }
  }
}
