import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BitcoinRpc, type EmbeddedRegtest, openRegtest } from '@hemid/bitcoin';
import { devKey } from '@hemid/node';
import { toDigits } from '@hemid/protocol';
import { silentLogger, systemClock } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import {
  type Bitcoind,
  type BitcoinWallet,
  createBitcoinWallet,
  freePort,
  type ProgramProcess,
  startBitcoind,
  startProgram,
  waitForOutput,
  writeDevSpec,
} from '@hemid/testkit';

/** Bitcoin blocks below the hVM genesis, unless a scene prepares others. */
const GENESIS_HEIGHT = 110;

/** A `hemid node` with its RPC at `url`. */
export interface NodeProcess {
  program: ProgramProcess;
  url: string;
}

export interface NodeStart {
  role?: 'sequencer' | 'verifier';
  /** More options; the last one of a name counts. */
  options?: readonly string[];
  env?: Record<string, string>;
}

/** Programs on one chain spec and one Bitcoin node, whichever it is. */
export interface Programs {
  /** Holds the chain spec and what the programs write; it goes when the scene closes. */
  directory: string;
  /** File of the chain spec. */
  chain: string;
  /** Starts a node on its data in `directory/name`; it may still be on its way up, or on its way to refuse. */
  launch(name: string, start?: NodeStart): Promise<NodeProcess>;
  /** {@link launch}, and waits until it runs. */
  start(name: string, start?: NodeStart): Promise<NodeProcess>;
  /** Starts a popmd, which is stopped with the others. */
  startPopmd(args: readonly string[], env: Record<string, string>): ProgramProcess;
  /** Stops what still runs. @returns how each program ended, in the order of their starts. */
  close(): Promise<(number | string)[]>;
}

/** Writes a chain spec on the Bitcoin tip of now; programs reach Bitcoin at `url`, credentials included. */
export async function createPrograms(name: string, { rpc, url }: { rpc: BitcoinRpc; url: string }): Promise<Programs> {
  const directory = mkdtempSync(join(tmpdir(), `hemid-${name}-`));
  const chain = await writeDevSpec(rpc, directory);
  const programs: ProgramProcess[] = [];
  const track = (program: ProgramProcess): ProgramProcess => {
    programs.push(program);
    return program;
  };

  async function launch(data: string, { role = 'sequencer', options = [], env = {} }: NodeStart = {}): Promise<NodeProcess> {
    const port = await freePort();
    const own = ['--role', role, '--data', join(directory, data), '--chain', chain, '--rpc-port', `${port}`, '--log-format', 'json'];
    const bitcoin = ['--bitcoind', url, '--bitcoin-poll-ms', '100'];
    const key = role === 'sequencer' ? { HEMID_SEQUENCER_KEY: toDigits(devKey('sequencer').secret) } : {};
    const program = track(startProgram('apps/node/src/main.ts', ['node', ...own, ...bitcoin, ...options], { ...key, ...env }));
    return { program, url: `http://127.0.0.1:${port}` };
  }

  return {
    directory,
    chain,
    launch,
    async start(data, start) {
      const node = await launch(data, start);
      await waitForOutput(node.program, /hemid is running/, 60_000);
      return node;
    },
    startPopmd: (args, env) => track(startProgram('apps/pop-miner/src/main.ts', args, env)),
    async close() {
      const ends = await Promise.all(programs.map((program) => program.end() ?? program.stop()));
      rmSync(directory, { recursive: true, force: true });
      return ends;
    },
  };
}

/** Programs beside a real bitcoind. */
export interface ProgramScene extends Programs {
  bitcoind: Bitcoind;
  /** URL of bitcoind with its credentials, as programs are given it. */
  bitcoinUrl: string;
  /** Gets what is mined. */
  treasury: BitcoinWallet;
  /** Mines blocks with what the mempool holds. */
  mine(count: number): Promise<void>;
  /** Dumps the unspent set of now, which has to be that at the hVM genesis, and names it in the chain spec. @returns the file. */
  dumpUnspent(): Promise<string>;
}

/** Starts a bitcoind; `prepare` makes the Bitcoin below the hVM genesis, 110 blocks of the treasury's unless it is given. */
export async function createProgramScene(
  name: string,
  prepare: (below: { bitcoind: Bitcoind; treasury: BitcoinWallet }) => Promise<unknown> = ({ treasury }) => treasury.mine(GENESIS_HEIGHT),
): Promise<ProgramScene> {
  const bitcoind = await startBitcoind();
  try {
    const treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'treasury' });
    await prepare({ bitcoind, treasury });
    const bitcoinUrl = bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
    const programs = await createPrograms(name, { rpc: bitcoind.rpc, url: bitcoinUrl });
    return {
      ...programs,
      bitcoind,
      bitcoinUrl,
      treasury,
      mine: async (count) => void (await bitcoind.rpc('generatetoaddress', [count, treasury.addresses.p2wpkh])),
      async dumpUnspent() {
        const file = join(programs.directory, 'utxo.dat');
        const { txoutset_hash } = (await bitcoind.rpc('dumptxoutset', [file, 'latest'])) as { txoutset_hash: string };
        const spec = JSON.parse(readFileSync(programs.chain, 'utf8')) as { genesis: { bitcoin: Record<string, unknown> } };
        spec.genesis.bitcoin['unspent'] = { hashSerialized: txoutset_hash };
        writeFileSync(programs.chain, JSON.stringify(spec));
        return file;
      },
      async close() {
        const ends = await programs.close();
        await bitcoind.stop();
        return ends;
      },
    };
  } catch (error) {
    await bitcoind.stop();
    throw error;
  }
}

/** The embedded Bitcoin with 110 blocks of the last two hours, and where programs reach it. */
export async function serveEmbeddedBitcoin(): Promise<{ bitcoin: EmbeddedRegtest; wallet: BitcoinWallet; url: string }> {
  const bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
  const wallet = createBitcoinWallet({ rpc: bitcoin.rpc, secret: devKey('miner').secret });
  const start = Math.floor(Date.now() / 1000) - 7200;
  await bitcoin.mine({ count: GENESIS_HEIGHT, address: wallet.addresses.p2wpkh, timeSeconds: (i) => start + i });
  const { url } = await bitcoin.serve({ host: '127.0.0.1', port: 0 });
  return { bitcoin, wallet, url };
}

/** Calls a method of a node. */
export async function askNode<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return ((await response.json()) as { result: T }).result;
}
