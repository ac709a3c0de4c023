import { type Address, padHex } from 'viem';
import { beforeEach, expect, test } from 'vitest';
import { depositCaller } from '../src/index.ts';
import { createPredeployChain, DEPOSIT_CALLER, type PredeployChain, SYSTEM, TUNNEL } from './predeploy-chain.ts';

const RECIPIENT: Address = '0xc0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff';
const SLOT_0 = padHex('0x', { size: 32 });
// GAS PUSH0 SSTORE STOP: keeps in slot 0 the gas that it was given, less 2.
const KEEPS_GAS = '0x5a5f5500';
// The EVM adds a stipend to what is forwarded with value.
const GIVEN = 100_000n + 2_300n;

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
  await chain.addBalance(TUNNEL, 10n ** 18n);
});

const pay = (from: Address, gas = 250_000n) =>
  chain.send({
    from,
    to: DEPOSIT_CALLER,
    abi: depositCaller.abi,
    name: 'pay',
    args: [RECIPIENT, '0x'],
    value: 1n,
    gas,
  });

test('only Tunnel may pay', async () => {
  await chain.addBalance(SYSTEM, 1n);
  expect((await pay(SYSTEM)).error).toBe('OnlyTunnel');
  expect((await pay(TUNNEL)).ok).toBe(true);
});

test('a recipient is given exactly 100,000 gas and the stipend', async () => {
  await chain.setCode(RECIPIENT, KEEPS_GAS);
  const outcome = await pay(TUNNEL);
  expect(BigInt(outcome.output)).toBe(1n);
  expect(BigInt(await chain.storageAt(RECIPIENT, SLOT_0)) + 2n).toBe(GIVEN);
});

test('a recipient that fails gets nothing, Tunnel has its coins back, and the answer is false', async () => {
  await chain.setCode(RECIPIENT, '0xfe');
  const outcome = await pay(TUNNEL);
  expect(outcome.ok).toBe(true);
  expect(BigInt(outcome.output)).toBe(0n);
  expect(await chain.balanceOf(TUNNEL)).toBe(10n ** 18n);
  expect(await chain.balanceOf(DEPOSIT_CALLER)).toBe(0n);
});

test('with too little gas it reverts, and a recipient is never given less than 100,000', async () => {
  const delegate: Address = padHex('0xde1e', { size: 20 });
  await chain.setCode(delegate, KEEPS_GAS);
  // The dearest recipient with code: an account that delegates (EIP-7702) to a cold contract.
  await chain.setCode(RECIPIENT, `0xef0100${delegate.slice(2)}`);
  const seen = new Set<string>();
  for (let gas = 120_000n; gas <= 200_000n; gas += 500n) {
    await chain.setStorage(RECIPIENT, SLOT_0, '0x');
    const outcome = await pay(TUNNEL, gas);
    seen.add(outcome.ok ? 'paid' : (outcome.error ?? ''));
    const given = BigInt(await chain.storageAt(RECIPIENT, SLOT_0));
    expect(given === 0n ? outcome.error : given + 2n, `gas ${gas}`).toBe(outcome.ok ? GIVEN : 'NotEnoughGas');
  }
  expect([...seen].sort()).toEqual(['NotEnoughGas', 'paid']);
});
