import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBitcoindRpc } from '@hemid/bitcoin';
import { devKey } from '@hemid/node';
import { abbreviate, encodePopScript, fromHex, fromKeystoneJson, type KeystoneJson, toDigits } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import {
  type Bitcoind,
  type BitcoinWallet,
  createBitcoinWallet,
  freePort,
  openBitcoindDoor,
  type ProgramProcess,
  startBitcoind,
  startProgram,
  waitForOutput,
  writeDevSpec,
} from '@hemid/testkit';

/** Coins in the wallet of each custodian. */
const BUMPS = 200;

/** A real bitcoind, a sequencer and custodians, each a process of its own that may be killed and started again. */
export interface CustodyProcesses {
  bitcoind: Bitcoind;
  /** Owns the coinbases of the first blocks, and pays for keystones. */
  treasury: BitcoinWallet;
  /** JSON-RPC of the sequencer. */
  url: string;
  /** Where the processes keep their data: `sequencer`, `custodian-1` …. */
  directory: string;
  startSequencer(): Promise<ProgramProcess>;
  /** Custodian 1, 2 or 3, beside its own verifier; does not wait for it. */
  startCustodian(number: number, more?: readonly string[]): ProgramProcess;
  /** Gives each custodian a wallet to bump batches from, for those that start from now on. */
  equip(): Promise<void>;
  /** Sats per vbyte that blocks want, as the custodians' Bitcoin node says; `undefined`: it has no estimate. */
  wantRate(rate: number | undefined): void;
  /** Asks the sequencer. */
  ask<T>(method: string, ...params: unknown[]): Promise<T>;
  /** The sequencer's latest keystone, as it serves it. */
  latestKeystone(): Promise<KeystoneJson | undefined>;
  /** Publishes that keystone; sats per vbyte, 2 when left out. */
  publish(feeRate?: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts Bitcoin and a sequencer; the three custodians of the dev spec's vault are started by the story. */
export async function createCustodyProcesses(): Promise<CustodyProcesses> {
  const directory = mkdtempSync(join(tmpdir(), 'hemid-custodian-'));
  const bitcoind = await startBitcoind({ port: await freePort() });
  const treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: fromHex('b2'.repeat(32)) });
  await treasury.mine(110);
  await writeDevSpec(bitcoind.rpc, directory);
  const [port = 0, ...exchangePorts] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const programs: ProgramProcess[] = [];
  let wantedRate: number | undefined;
  // A node of the tests has nothing to estimate from.
  const estimatesmartfee = (own: unknown) => (wantedRate === undefined ? own : { feerate: wantedRate / 1e5, blocks: 2 });
  const door = await openBitcoindDoor(bitcoind, { estimatesmartfee });
  const wallets: string[] = [];

  function start(name: string, [command = '', ...rest]: readonly string[], env: Record<string, string>): ProgramProcess {
    const bitcoin = command === 'custodian' ? door.url : bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
    const where = ['--data', join(directory, name), '--chain', join(directory, 'chain.json'), '--bitcoind', bitcoin];
    const program = startProgram('apps/node/src/main.ts', [command, ...where, '--log-format', 'json', ...rest], env);
    programs.push(program);
    return program;
  }

  async function ask<T>(method: string, ...params: unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return ((await response.json()) as { result: T }).result;
  }
  const latestKeystone = async () => (await ask<{ keystones: KeystoneJson[] }>('kss_getLatestKeystones', 1)).keystones[0];

  async function startSequencer(): Promise<ProgramProcess> {
    const sequencer = start('sequencer', ['node', '--role', 'sequencer', '--rpc-port', String(port)], {
      HEMID_SEQUENCER_KEY: toDigits(devKey('sequencer').secret),
    });
    await waitForOutput(sequencer, /hemid is running/, 60_000);
    return sequencer;
  }

  return {
    bitcoind,
    treasury,
    url,
    directory,
    ask,
    latestKeystone,
    startSequencer,
    async equip() {
      const { user, password } = bitcoind;
      for (const number of [1, 2, 3]) {
        const name = `custodian-${number}`;
        await bitcoind.rpc('createwallet', [name, false, false, '', false, true, true]);
        const rpc = createBitcoindRpc({ url: `${bitcoind.url}/wallet/${name}`, user, password: new Secret(password), timeoutMs: 30_000 });
        const to = (await rpc('getnewaddress', [])) as string;
        await treasury.pay({ outputs: Array.from({ length: BUMPS }, () => ({ to, valueSats: 200_000n })) });
        wallets.push(name);
      }
    },
    wantRate(rate) {
      wantedRate = rate;
    },
    startCustodian(number, more = []) {
      const keys = [1, 2, 3].map((i) => toDigits(devKey(`custodian ${i}`).publicKey)).join(',');
      const peers = exchangePorts.filter((_, i) => i !== number - 1).map((one) => `http://127.0.0.1:${one}`);
      const vault = ['--vault-keys', keys, '--vault-required', '2', '--custodian-poll-ms', '200'];
      const exchange = ['--peers', peers.join(','), '--exchange-port', String(exchangePorts[number - 1])];
      const bumping = wallets.length === 0 ? [] : ['--bump-wallet', wallets[number - 1] ?? '', '--bump-after-blocks', '1'];
      return start(`custodian-${number}`, ['custodian', '--upstream', url, '--rpc-port', '0', ...vault, ...exchange, ...bumping, ...more], {
        HEMID_CUSTODIAN_KEY: toDigits(devKey(`custodian ${number}`).secret),
        HEMID_EXCHANGE_SECRET: '07'.repeat(32),
      });
    },
    async publish(feeRate = 2) {
      const keystone = await latestKeystone();
      if (keystone === undefined) return;
      const to = encodePopScript(abbreviate(fromKeystoneJson(keystone)));
      await treasury.pay({ outputs: [{ to, valueSats: 0n }], feeRate });
    },
    async close() {
      await Promise.all(programs.filter((program) => program.end() === undefined).map((program) => program.stop()));
      door.close();
      await bitcoind.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
