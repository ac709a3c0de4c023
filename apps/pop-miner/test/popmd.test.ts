import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type EmbeddedRegtest, openRegtest } from '@hemid/bitcoin';
import { createPopWallet, readPopSecret } from '@hemid/pop-miner';
import { silentLogger, systemClock } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createBitcoinWallet } from '@hemid/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeystoneHolder, type KeystoneHolder } from '../../../packages/pop-miner/test/keystone-holder.ts';
import { type KeystoneServer, serveKeystones } from '../../../packages/pop-miner/test/keystone-server.ts';

const PROGRAM = fileURLToPath(new URL('../../../scripts/program.mjs', import.meta.url));
const SECRET = '5e2deaa9f1bb2bcef294cc36513c591c5594d6b671fe83a104aa2708bc634c';
const { address } = createPopWallet(readPopSecret(SECRET), { network: 'regtest', kind: 'p2pkh' });

/** A popmd process. */
interface Popmd {
  child: ChildProcess;
  /** Waits for a log line with this message. */
  says(message: string): Promise<Record<string, unknown>>;
  exited: Promise<[number | null]>;
  output(): string;
}

function startPopmd(env: Record<string, string>, args: readonly string[] = []): Popmd {
  const child = spawn(process.execPath, [PROGRAM, 'apps/pop-miner/src/main.ts', ...args], {
    env: { PATH: process.env['PATH'], ...env },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  }
  const find = (message: string): Record<string, unknown> | undefined => {
    const line = lines.find((text) => text.includes(`"msg":"${message}"`));
    return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
  };
  return {
    child,
    exited: once(child, 'close') as Promise<[number | null]>,
    output: () => lines.join('\n'),
    says: (message) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = find(message);
          if (found !== undefined) resolve(found);
        };
        waiting.add(look);
        look();
        child.once('close', () => reject(new Error(`popmd never said "${message}": ${lines.join('\n')}`)));
      }),
  };
}

describe('popmd', () => {
  let bitcoin: EmbeddedRegtest;
  let l2: KeystoneHolder;
  let node: KeystoneServer;
  let env: Record<string, string>;
  let faucet: string;
  const running = new Set<Popmd>();

  const start = (more: Record<string, string> = {}): Popmd => {
    const popmd = startPopmd({ ...env, ...more });
    running.add(popmd);
    return popmd;
  };
  const mempool = async (): Promise<string[]> => (await bitcoin.rpc('getrawmempool', [])) as string[];

  beforeEach(async () => {
    bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
    faucet = createBitcoinWallet({ rpc: bitcoin.rpc, secret: 'faucet' }).addresses.p2wpkh;
    await bitcoin.mine({ count: 2, address });
    const hashes = await bitcoin.mine({ count: 100, address: faucet });
    l2 = createKeystoneHolder();
    l2.make(25, hashes.at(-1) ?? '', systemClock.now());
    node = await serveKeystones(l2);
    const server = await bitcoin.serve({ host: '127.0.0.1', port: 0 });
    env = {
      POPM_BITCOIN_SECRET: SECRET,
      POPM_BITCOIN_NETWORK: 'localnet',
      POPM_BITCOIN_URL: server.url,
      POPM_OPGETH_URL: node.url.replace('http', 'ws'),
      POPM_ADDRESS_TYPE: 'p2pkh',
      POPM_POLL_MS: '200',
    };
  });
  afterEach(async () => {
    for (const { child, exited } of running) {
      child.kill('SIGKILL');
      await exited;
    }
    running.clear();
    await node.close();
    await bitcoin.close();
  });

  it('publishes, shows its address, and ends in good order on a signal', async () => {
    const popmd = start();
    expect(await popmd.says('pop miner sees bitcoin')).toMatchObject({ address, coins: 2, balanceSats: '10000000000' });
    const { txid } = await popmd.says('keystone published');
    expect(await mempool()).toEqual([txid]);
    await bitcoin.mine({ count: 1, address: faucet });
    expect(await popmd.says('publication confirmed')).toMatchObject({ keystone: 25, txid, height: 103 });

    const asked = performance.now();
    popmd.child.kill('SIGTERM');
    expect(await popmd.exited).toEqual([0, null]);
    expect(performance.now() - asked).toBeLessThan(2000);
    expect(popmd.output()).not.toContain(SECRET);
  });

  it('does not publish twice when it is killed right after a broadcast', async () => {
    const first = start();
    const { txid } = await first.says('keystone published');
    first.child.kill('SIGKILL');
    await first.exited;

    const second = start();
    await second.says('pop miner sees bitcoin');
    l2.make(50, (await bitcoin.mine({ count: 1, address: faucet }))[0] ?? '', systemClock.now());
    expect(await second.says('keystone published')).toMatchObject({ keystone: 50 });
    expect(await mempool()).toHaveLength(1);
    expect(await mempool()).not.toContain(txid);
  });

  it('does not start against a Bitcoin node on another network', async () => {
    const popmd = start({ POPM_BITCOIN_NETWORK: 'testnet4' });
    expect(await popmd.exited).toEqual([1, null]);
    expect(popmd.output()).toContain('bitcoin/wrong-network');
  });

  it('says in one line what is wrong with its configuration', async () => {
    const popmd = start({ POPM_MAX_FEE: '2', POPM_STATIC_FEE: '3' });
    expect(await popmd.exited).toEqual([2, null]);
    expect(popmd.output()).toBe('popmd: the configuration is wrong: staticFee: is above maxFee: nothing would ever be published. Try --help.');
  });

  it('explains itself', async () => {
    const popmd = startPopmd({}, ['--help']);
    expect(await popmd.exited).toEqual([0, null]);
    expect(popmd.output()).toContain('[POPM_BITCOIN_SECRET]');
  });
});
