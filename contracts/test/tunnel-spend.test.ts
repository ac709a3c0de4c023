import { type Address, keccak256, padHex } from 'viem';
import { beforeEach, expect, test } from 'vitest';
import { tunnel } from '../src/index.ts';
import { deposit, SPEND_GAS, toTxid } from './deposit.ts';
import { createPredeployChain, type PredeployChain, TUNNEL } from './predeploy-chain.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const OUTPUTS_HASH = keccak256('0x');

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
});

const spend = (txid = toTxid(1)) =>
  chain.system({
    to: TUNNEL,
    abi: tunnel.abi,
    name: 'spend',
    args: [txid, 3n, 2, 75_000n, OUTPUTS_HASH],
    gas: SPEND_GAS,
  });
const view = (name: string, args: unknown[] = []) => chain.read(TUNNEL, tunnel.abi, name, args);

test('a vault spend is marked, counted and logged as a breach', async () => {
  expect(await view('breaches')).toBe(0n);
  const outcome = await spend();
  expect(outcome.events).toEqual([
    {
      address: TUNNEL,
      name: 'Breach',
      args: { txid: toTxid(1), firstId: 3n, count: 2, netSats: 75_000n, outputsHash: OUTPUTS_HASH },
    },
  ]);
  expect(await view('seen', [toTxid(1)])).toBe(true);
  expect(await view('breaches')).toBe(1n);
  await spend(toTxid(2));
  expect(await view('breaches')).toBe(2n);
});

test('a vault spend fits half its 150,000 gas', async () => {
  expect((await spend()).gasUsed).toBeLessThan(SPEND_GAS / 2n);
});

test('a vault spend is refused from anyone but the system sender', async () => {
  const args = [toTxid(1), 0n, 0, 0n, OUTPUTS_HASH];
  expect((await chain.send({ from: ALICE, to: TUNNEL, abi: tunnel.abi, name: 'spend', args })).error).toBe('OnlySystem');
  expect(await view('breaches')).toBe(0n);
});

test('a txid comes once, as a spend or as a deposit', async () => {
  await spend(toTxid(1));
  expect((await spend(toTxid(1))).error).toBe('AlreadySeen');
  expect((await deposit(chain, { recipient: ALICE, txid: toTxid(1) })).error).toBe('AlreadySeen');
  await deposit(chain, { recipient: ALICE, txid: toTxid(2) });
  expect((await spend(toTxid(2))).error).toBe('AlreadySeen');
  expect(await view('breaches')).toBe(1n);
});

test('a breach does not stop deposits', async () => {
  await spend(toTxid(1));
  expect((await deposit(chain, { recipient: ALICE, txid: toTxid(2) })).ok).toBe(true);
  expect(await chain.balanceOf(ALICE)).toBe(75_000n * 10n ** 10n);
  expect(await view('credited')).toBe(75_000n);
});
