import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tunnel } from '@hemid/contracts';
import { devVaultScript } from '@hemid/node';
import { concat, fromHex, TUNNEL_ADDRESS, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { waitFor, waitForOutput } from '@hemid/testkit';
import { createWalletClient, defineChain, encodeFunctionData, http, publicActions } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustodyProcesses, createCustodyProcesses } from '../custodian-processes.ts';

const ACCOUNT = mnemonicToAccount('test test test test test test test test test test test junk');
const PAYEE = fromHex(`0x0014${'cd'.repeat(20)}`);
const PATIENCE_MS = 60_000;

let scene: CustodyProcesses;
beforeAll(async () => {
  scene = await createCustodyProcesses();
  await scene.startSequencer();
}, 120_000);
afterAll(async () => scene?.close(), 60_000);

test('two custodian processes of three, one of them killed after it has signed, pay a withdrawal once', async () => {
  const { bitcoind, treasury, url, ask, startCustodian } = scene;
  const mine = (count: number) => treasury.mine(count);
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
    rpcUrls: { default: { http: [url] } },
  });
  const user = createWalletClient({ chain, transport: http(url), account: ACCOUNT, pollingInterval: 100 }).extend(publicActions);
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(PAYEE)] });
  const hash = await user.sendTransaction({ to: toHex(TUNNEL_ADDRESS), data, value: 100_000n * WEI_PER_SAT });
  const { blockNumber, status } = await user.waitForTransactionReceipt({ hash, timeout: PATIENCE_MS });
  expect(status).toBe('success');

  const later = async () => BigInt((await scene.latestKeystone())?.l2_block_number ?? 0) > blockNumber + 5n;
  await waitFor(later, { timeoutMs: PATIENCE_MS, what: 'a keystone above the deciding block' });
  await scene.publish();
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

  // Its operator looks, and pauses it.
  const place = join(scene.directory, 'custodian-1');
  await waitFor(() => /"says": "nobody waits to be paid"/.test(readFileSync(join(place, 'custodian.json'), 'utf8')), {
    timeoutMs: PATIENCE_MS,
    what: 'its status',
  });
  writeFileSync(join(place, 'pause'), 'for the night\n');
  await waitForOutput(first, /paused: for the night/, PATIENCE_MS);
}, 180_000);
