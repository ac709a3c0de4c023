import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedRegtest, openRegtest } from '@hemid/bitcoin';
import { createMinerBitcoind, createPopWallet, type PopWallet, readPopSecret } from '@hemid/pop-miner';
import { loadConfig, silentLogger, systemClock, systemRandom } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createBitcoinWallet, freePort } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initConfig, statusConfig, sweepConfig } from '../src/config.ts';
import { runInit } from '../src/init-command.ts';
import { runStatus } from '../src/status-command.ts';
import { runSweep } from '../src/sweep-command.ts';

const KEY = 'a1'.repeat(32);
const STRANGER = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
const env = { POPM_BITCOIN_NETWORK: 'regtest' };
const nobody = async () => undefined;

const directory = mkdtempSync(join(tmpdir(), 'hemid-commands-'));
let bitcoin: EmbeddedRegtest;
let said = '';
const write = (text: string): void => {
  said += text;
};
const connect = (wallet: PopWallet) => createMinerBitcoind({ rpc: bitcoin.rpc, wallet, log: silentLogger });

beforeAll(async () => {
  bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
});
afterAll(async () => {
  await bitcoin.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('popmd init', () => {
  const deps = { ask: nobody, clock: systemClock, random: systemRandom, write, connect };
  const init = (argv: string[], more: Record<string, string> = {}) =>
    runInit(
      loadConfig(initConfig, { argv: ['--no-wait', ...argv], env: { ...env, POPM_KEYSTORE_PASSWORD: 'sesame', ...more }, envPrefix: 'POPM' }),
      deps,
    );

  it('writes a key once, for its owner alone, and never over it', async () => {
    const path = join(directory, 'keystore.json');
    await init(['--keystore', path]);
    const before = readFileSync(path, 'utf8');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(said).toMatch(/bitcoin:bcrt1q/);
    await expect(init(['--keystore', path])).rejects.toMatchObject({ code: 'popmd/keystore-exists', severity: 'fatal' });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('wants a file, a password, and no other key', async () => {
    const path = join(directory, 'never.json');
    await expect(init([])).rejects.toMatchObject({ code: 'popmd/key', message: expect.stringContaining('--keystore') });
    await expect(init(['--keystore', path], { POPM_BITCOIN_SECRET: KEY })).rejects.toMatchObject({ code: 'popmd/key' });
    await expect(init(['--keystore', path], { POPM_KEYSTORE_PASSWORD: '' })).rejects.toMatchObject({ code: 'popmd/password' });
    expect(() => statSync(path)).toThrow('ENOENT');
  });
});

describe('popmd sweep', () => {
  const sweep = (...argv: string[]) =>
    runSweep(loadConfig(sweepConfig, { argv: ['--to', STRANGER, ...argv], env: { ...env, POPM_BITCOIN_SECRET: KEY }, envPrefix: 'POPM' }), {
      ask: nobody,
      write,
      connect,
    });
  const mempool = () => bitcoin.rpc('getrawmempool', []);

  it('says why there is nothing to send', async () => {
    await expect(sweep('--yes')).rejects.toMatchObject({ code: 'popmd/nothing-to-sweep', message: expect.stringContaining('there is no bitcoin') });
    const { address } = createPopWallet(readPopSecret(KEY), { network: 'regtest', kind: 'p2wpkh' });
    await bitcoin.mine({ count: 1, address });
    await expect(sweep('--yes')).rejects.toMatchObject({ code: 'popmd/nothing-to-sweep', message: expect.stringContaining('must wait') });
    await bitcoin.mine({ count: 100, address: createBitcoinWallet({ rpc: bitcoin.rpc, secret: 'faucet' }).addresses.p2wpkh });
  });

  it('shows what it would send, and sends nothing, before it is told to', async () => {
    said = '';
    await expect(sweep('--fee-rate', '2')).rejects.toMatchObject({ code: 'popmd/unconfirmed', message: expect.stringContaining('--yes') });
    expect(said).toContain(`to    ${STRANGER}  on regtest\ngets  4999999780 sats\nfee   220 sats  (2.0 sats/vB)\n`);
    expect(await mempool()).toEqual([]);
  });

  it('sends it, and ends with the txid', async () => {
    said = '';
    await sweep('--yes');
    expect(await mempool()).toEqual([said.trim().split('\n').at(-1)]);
  });
});

describe('popmd status', () => {
  const status = (...argv: string[]) => runStatus(loadConfig(statusConfig, { argv, env, envPrefix: 'POPM' }), { clock: systemClock, write });

  it('says that no popmd runs, and how to tell it where', async () => {
    await expect(status()).rejects.toMatchObject({ code: 'popmd/config', message: expect.stringContaining('--http-address') });
    await expect(status('--http-address', `127.0.0.1:${await freePort()}`)).rejects.toMatchObject({ code: 'popmd/not-running', severity: 'retry' });
  });
});
