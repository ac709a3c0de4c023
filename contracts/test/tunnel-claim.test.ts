import { type Abi, type Address, type Hex, padHex, toFunctionSelector } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { compile } from '../scripts/compile.ts';
import { tunnel } from '../src/index.ts';
import { claimable, deposit, toTxid } from './deposit.ts';
import { createPredeployChain, type PredeployChain, TUNNEL } from './predeploy-chain.ts';
import { createVaultScene, VAULT } from './vault.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const RECIPIENT: Address = padHex('0xb0b', { size: 20 });
const SATS = 75_000n;
const WEI = SATS * 10n ** 10n;
const REENTERED = toFunctionSelector('Reentered()');
const NOTHING_TO_CLAIM = toFunctionSelector('NothingToClaim()');
// PUSH0 PUSH0 REVERT
const REVERTS = '0x5f5ffd';

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
});

const claim = (from: Address, to: Address) => chain.send({ from, to: TUNNEL, abi: tunnel.abi, name: 'claim', args: [to] });

describe('a claim', () => {
  beforeEach(async () => {
    await chain.setCode(RECIPIENT, REVERTS);
    await deposit(chain, { recipient: RECIPIENT, txid: toTxid(1) });
    await deposit(chain, { recipient: RECIPIENT, txid: toTxid(2), sats: 1n });
  });

  test('pays the sum of the failed deposits to the address that the recipient names', async () => {
    const outcome = await claim(RECIPIENT, ALICE);
    expect(outcome.events.map(({ name, args }) => [name, args['amount']])).toEqual([['Claimed', WEI + 10n ** 10n]]);
    expect(await chain.balanceOf(ALICE)).toBe(WEI + 10n ** 10n);
    expect(await chain.balanceOf(TUNNEL)).toBe(0n);
    expect(await claimable(chain, RECIPIENT)).toBe(0n);
  });

  test('finds nothing the second time', async () => {
    await claim(RECIPIENT, ALICE);
    expect((await claim(RECIPIENT, ALICE)).error).toBe('NothingToClaim');
  });

  test('is nobody’s but the recipient’s', async () => {
    expect((await claim(ALICE, ALICE)).error).toBe('NothingToClaim');
    expect(await claimable(chain, RECIPIENT)).toBe(WEI + 10n ** 10n);
  });

  test.each([RECIPIENT, TUNNEL])('to %s, which refuses the coins, leaves them claimable', async (to) => {
    expect((await claim(RECIPIENT, to)).error).toBe('ClaimFailed');
    expect(await claimable(chain, RECIPIENT)).toBe(WEI + 10n ** 10n);
    expect(await chain.balanceOf(TUNNEL)).toBe(WEI + 10n ** 10n);
  });
});

const compiled = compile('solidity', 'test/solidity');
function testContract(name: string): { code: Hex; abi: Abi } {
  const artifact = compiled.find(({ contractName }) => contractName === name);
  if (!artifact) throw new Error(`no ${name}`);
  return { code: artifact.deployedBytecode, abi: artifact.abi as Abi };
}

describe('a recipient that re-enters', () => {
  const { code, abi } = testContract('ReentrantRecipient');
  const view = (name: string) => chain.read(RECIPIENT, abi, name);

  beforeEach(async () => {
    await chain.setCode(RECIPIENT, code);
    await deposit(chain, { recipient: RECIPIENT, txid: toTxid(1) });
    expect(await claimable(chain, RECIPIENT)).toBe(WEI);
    await chain.send({ from: ALICE, to: RECIPIENT, abi, name: 'accept' });
  });

  test('claim from within its deposit is refused, and the deposit is paid', async () => {
    const outcome = await deposit(chain, { recipient: RECIPIENT, txid: toTxid(2), sats: 1n });
    expect(outcome.events.map(({ name }) => name)).toEqual(['Deposited']);
    expect(await view('innerError')).toBe(REENTERED);
    expect(await chain.balanceOf(RECIPIENT)).toBe(10n ** 10n);
    expect(await claimable(chain, RECIPIENT)).toBe(WEI);
  });

  test('claim from within its claim is refused, and one is paid', async () => {
    // Another recipient's coins are there to be stolen.
    await chain.setCode(ALICE, REVERTS);
    await deposit(chain, { recipient: ALICE, txid: toTxid(2) });
    const outcome = await chain.send({ from: ALICE, to: RECIPIENT, abi, name: 'claimTwice' });
    expect(outcome.ok).toBe(true);
    expect(await view('innerError')).toBe(REENTERED);
    expect(await view('payments')).toBe(1);
    expect(await chain.balanceOf(RECIPIENT)).toBe(WEI);
    expect(await chain.balanceOf(TUNNEL)).toBe(WEI);
  });

  test('claim again after its claim in the same transaction finds the lock open and nothing there', async () => {
    await chain.send({ from: ALICE, to: RECIPIENT, abi, name: 'claimTwice' });
    expect(await view('secondError')).toBe(NOTHING_TO_CLAIM);
  });
});

test('a recipient that withdraws at once is refused from within its deposit and its claim, and served outside of them', async () => {
  const scene = await createVaultScene();
  const { code, abi } = testContract('ReentrantWithdrawer');
  const view = (name: string) => scene.chain.read(RECIPIENT, abi, name);
  scene.sats.set(VAULT.address, 2n * SATS);
  // While it has no code that takes coins they become claimable.
  await scene.chain.setCode(RECIPIENT, REVERTS);
  await deposit(scene.chain, { recipient: RECIPIENT, txid: toTxid(1) });
  await scene.chain.setCode(RECIPIENT, code);
  await deposit(scene.chain, { recipient: RECIPIENT, txid: toTxid(2) });
  expect(await view('refusals')).toBe(1);
  expect((await scene.chain.send({ from: ALICE, to: RECIPIENT, abi, name: 'claim' })).ok).toBe(true);
  expect(await view('refusals')).toBe(2);
  expect(await view('innerError')).toBe(REENTERED);
  expect(await scene.view('requestCount')).toBe(0n);
  expect((await scene.chain.send({ from: ALICE, to: RECIPIENT, abi, name: 'withdraw' })).ok).toBe(true);
  expect(await scene.view('requested')).toBe(2n * SATS);
});
