import { type Address, getAddress, padHex } from 'viem';
import { beforeEach, expect, test } from 'vitest';
import { feeVault } from '../src/index.ts';
import { createPredeployChain, FEE_VAULT, type PredeployChain } from './predeploy-chain.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const TREASURY: Address = getAddress('0x7ea5000000000000000000000000000000000001');
const SLOT_0 = padHex('0x', { size: 32 });

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
  await chain.addBalance(FEE_VAULT, 5n);
});

const withdraw = () => chain.send({ from: ALICE, to: FEE_VAULT, abi: feeVault.abi, name: 'withdraw' });

test('anyone may send the fees to the recipient of the genesis', async () => {
  await chain.setStorage(FEE_VAULT, SLOT_0, TREASURY);
  expect(await chain.read(FEE_VAULT, feeVault.abi, 'recipient')).toBe(TREASURY);
  const outcome = await withdraw();
  expect(outcome.events).toEqual([{ address: FEE_VAULT, name: 'Withdrawn', args: { recipient: TREASURY, amount: 5n } }]);
  expect(await chain.balanceOf(TREASURY)).toBe(5n);
  expect(await chain.balanceOf(FEE_VAULT)).toBe(0n);
});

test('without a recipient, or with one that refuses, the fees stay', async () => {
  expect((await withdraw()).error).toBe('NoRecipient');
  await chain.setStorage(FEE_VAULT, SLOT_0, TREASURY);
  await chain.setCode(TREASURY, '0x5f5ffd');
  expect((await withdraw()).error).toBe('WithdrawFailed');
  expect(await chain.balanceOf(FEE_VAULT)).toBe(5n);
});

test('the vault takes coins from anyone', async () => {
  await chain.addBalance(ALICE, 2n);
  expect((await chain.send({ from: ALICE, to: FEE_VAULT, value: 2n })).ok).toBe(true);
  expect(await chain.balanceOf(FEE_VAULT)).toBe(7n);
});
