import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tunnel } from '@hemid/contracts';
import { devKey, devVaultScript } from '@hemid/node';
import { concat, fromHex, fromKeystoneJson, type KeystoneJson, TUNNEL_ADDRESS, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import {
  type Bitcoind,
  type BitcoinWallet,
  createBitcoinWallet,
  freePort,
  type ProgramProcess,
  publishKeystone,
  startBitcoind,
  startProgram,
  waitFor,
  waitForOutput,
  writeDevSpec,
} from '@hemid/testkit';
import { createWalletClient, defineChain, encodeFunctionData, http, publicActions } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ACCOUNT = mnemonicToAccount('test test test test test test test test test test test junk');
const PAYEE = fromHex(`0x0014${'cd'.repeat(20)}`);
const PATIENCE_MS = 60_000;

let directory: string;
let bitcoind: Bitcoind;
let treasury: BitcoinWallet;
let sequencerUrl: string;
const programs: ProgramProcess[] = [];
const ports: number[] = [];

function start(name: string, args: string[], env: Record<string, string>): ProgramProcess {
  const bitcoin = bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
  const [command = '', ...rest] = args;
  const all = [
    command,
    '--data',
    join(directory, name),
    '--chain',
    join(directory, 'chain.json'),
    '--bitcoind',
    bitcoin,
    '--log-format',
    'json',
    ...rest,
  ];
  const program = startProgram('apps/node/src/main.ts', all, env);
  programs.push(program);
  return program;
}

/** Custodian 1, 2 or 3 as a process, beside its own verifier. */
function startCustodian(number: number): ProgramProcess {
  const keys = [1, 2, 3].map((i) => toDigits(devKey(`custodian ${i}`).publicKey)).join(',');
  const peers = ports.filter((_, i) => i !== number - 1).map((port) => `http://127.0.0.1:${port}`);
  const vault = ['--vault-keys', keys, '--vault-required', '2', '--custodian-poll-ms', '200'];
  const exchange = ['--peers', peers.join(','), '--exchange-port', String(ports[number - 1])];
  return start(`custodian-${number}`, ['custodian', '--upstream', sequencerUrl, '--rpc-port', '0', ...vault, ...exchange], {
    HEMID_CUSTODIAN_KEY: toDigits(devKey(`custodian ${number}`).secret),
    HEMID_EXCHANGE_SECRET: '07'.repeat(32),
  });
}

const mine = (count: number) => bitcoind.rpc('generatetoaddress', [count, treasury.addresses.p2wpkh]);

async function ask<T>(method: string, ...params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(sequencerUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return ((await response.json()) as { result: T }).result;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-custodian-'));
  bitcoind = await startBitcoind();
  treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: fromHex('b2'.repeat(32)) });
  await treasury.mine(110);
  await writeDevSpec(bitcoind.rpc, directory);
  for (let i = 0; i < 3; i += 1) ports.push(await freePort());
  const port = await freePort();
  sequencerUrl = `http://127.0.0.1:${port}`;
  const sequencer = start('sequencer', ['node', '--role', 'sequencer', '--rpc-port', String(port)], {
    HEMID_SEQUENCER_KEY: toDigits(devKey('sequencer').secret),
  });
  await waitForOutput(sequencer, /hemid is running/);
}, 120_000);
afterAll(async () => {
  await Promise.all(programs.filter((program) => program.end() === undefined).map((program) => program.stop()));
  await bitcoind?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

test('two custodian processes of three, one of them killed after it has signed, pay a withdrawal once', async () => {
  let first = startCustodian(1);
  const name = concat(Uint8Array.of(0x6a, 20), fromHex(ACCOUNT.address));
  await treasury.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 1_000_000n },
      { to: name, valueSats: 0n },
    ],
  });
  await mine(6);
  const credited = async () => BigInt((await ask<{ creditedSats: string }>('hemi_getReserves')).creditedSats) > 0n;
  await waitFor(credited, { timeoutMs: PATIENCE_MS, what: 'the credit of the deposit' });

  const chain = defineChain({
    id: 743_555,
    name: 'hemid dev',
    nativeCurrency: { name: 'hBTC', symbol: 'hBTC', decimals: 18 },
    rpcUrls: { default: { http: [sequencerUrl] } },
  });
  const user = createWalletClient({ chain, transport: http(sequencerUrl), account: ACCOUNT, pollingInterval: 100 }).extend(publicActions);
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(PAYEE)] });
  const hash = await user.sendTransaction({ to: toHex(TUNNEL_ADDRESS), data, value: 100_000n * WEI_PER_SAT });
  const { blockNumber, status } = await user.waitForTransactionReceipt({ hash, timeout: PATIENCE_MS });
  expect(status).toBe('success');

  const latest = async () => (await ask<{ keystones: KeystoneJson[] }>('kss_getLatestKeystones', 1)).keystones[0];
  const later = async () => BigInt((await latest())?.l2_block_number ?? 0) > blockNumber + 5n;
  await waitFor(later, { timeoutMs: PATIENCE_MS, what: 'a keystone above the deciding block' });
  await publishKeystone(treasury, fromKeystoneJson((await latest()) as KeystoneJson));
  await mine(11);
  await waitForOutput(first, /waits for other custodians/, PATIENCE_MS);
  await first.kill();
  expect(await bitcoind.rpc('getrawmempool', [])).toEqual([]);

  const second = startCustodian(2);
  await waitForOutput(second, /waits for other custodians/, PATIENCE_MS);
  first = startCustodian(1);
  await waitFor(async () => ((await bitcoind.rpc('getrawmempool', [])) as string[]).length > 0, {
    timeoutMs: PATIENCE_MS,
    what: 'the batch in Bitcoin',
  });
  await mine(6);
  const state = async () => ask<{ status: string; bitcoinTxid: string | null }>('hemi_getWithdrawal', 1);
  await waitFor(async () => (await state()).status === 'settled', { timeoutMs: PATIENCE_MS, what: 'the settlement' });
  await waitForOutput(first, /nobody waits to be paid/, PATIENCE_MS);
  const scan = (await bitcoind.rpc('scantxoutset', ['start', [`raw(${toDigits(PAYEE)})`]])) as { unspents: { txid: string; amount: number }[] };
  expect(scan.unspents).toMatchObject([{ txid: (await state()).bitcoinTxid, amount: 0.00097 }]);
}, 180_000);
