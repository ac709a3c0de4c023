import { type Address, concatHex, keccak256, padHex, toHex } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { popReward } from '../src/index.ts';
import { createPredeployChain, POP_REWARD, type PredeployChain } from './predeploy-chain.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const BOB: Address = padHex('0xb0b', { size: 20 });
const POOL = 100n * 10n ** 18n;
/** The gas of a payout (protocol section 9). */
const payoutGas = (miners: number) => 100_000n + 60_000n * BigInt(miners);

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
});

const mint = (miners: Address[], amounts: bigint[], blockRewarded = 25n) =>
  chain.system({
    to: POP_REWARD,
    abi: popReward.abi,
    name: 'mintPoPRewards',
    args: [blockRewarded, miners, amounts],
    gas: payoutGas(miners.length),
  });
const call = (from: Address, name: string, ...args: unknown[]) => chain.send({ from, to: POP_REWARD, abi: popReward.abi, name, args });
const view = (name: string, ...args: unknown[]) => chain.read(POP_REWARD, popReward.abi, name, args);

describe('a payout', () => {
  test('credits its miners and logs each of them', async () => {
    const outcome = await mint([ALICE, BOB], [3n, 4n]);
    expect(outcome.events.map(({ name, args }) => [name, args['amount'] ?? args['value']])).toEqual([
      ['Transfer', 3n],
      ['PoPRewarded', 3n],
      ['Transfer', 4n],
      ['PoPRewarded', 4n],
    ]);
    expect(outcome.events[1]?.args['blockRewarded']).toBe(25n);
    expect(await view('balanceOf', ALICE)).toBe(3n);
    expect(await view('balanceOf', BOB)).toBe(4n);
    expect(await view('totalSupply')).toBe(7n);
    expect(await view('totalPoPRewards')).toBe(7n);
    expect(await view('lastBlockRewarded')).toBe(25n);
  });

  test('adds to the ones before it', async () => {
    await mint([ALICE], [3n]);
    await mint([ALICE], [4n], 50n);
    expect(await view('balanceOf', ALICE)).toBe(7n);
    expect(await view('totalPoPRewards')).toBe(7n);
    expect(await view('lastBlockRewarded')).toBe(50n);
  });

  test('comes from the system sender alone', async () => {
    expect((await call(ALICE, 'mintPoPRewards', 25n, [ALICE], [1n])).error).toBe('OnlySystem');
    expect(await view('totalSupply')).toBe(0n);
  });

  test('names as many amounts as miners', async () => {
    expect((await mint([ALICE, BOB], [1n])).error).toBe('LengthMismatch');
    expect((await mint([ALICE], [1n, 2n])).error).toBe('LengthMismatch');
  });

  test('of one fresh miner, and of 64, fits its gas', async () => {
    const amount = POOL / 64n + 0xffffffffffffffn;
    for (const count of [1, 64]) {
      const fresh = Array.from({ length: count }, (_, i) => padHex(toHex(count * 1000 + i), { size: 20, dir: 'right' }));
      const outcome = await mint(
        fresh,
        fresh.map(() => amount),
      );
      expect(outcome.ok).toBe(true);
      expect(outcome.events).toHaveLength(2 * count);
      expect(outcome.gasUsed).toBeLessThan(payoutGas(count) / 2n + 40_000n);
      expect(await view('balanceOf', fresh[count - 1])).toBe(amount);
    }
  });

  test('is marked by the executor in the slot that paid() reads', async () => {
    await mint([ALICE], [1n], 25n);
    expect(await view('paid', 25n)).toBe(false);
    await chain.setStorage(POP_REWARD, keccak256(concatHex([toHex('hemid.paid'), toHex(25n, { size: 8 })])), '0x01');
    expect(await view('paid', 25n)).toBe(true);
    expect(await view('paid', 50n)).toBe(false);
  });
});

describe('the reward token', () => {
  beforeEach(async () => {
    await mint([ALICE], [10n]);
  });

  test('says what it is', async () => {
    expect(await view('name')).toBe('hemid PoP Reward');
    expect(await view('symbol')).toBe('HPOP');
    expect(await view('decimals')).toBe(18);
  });

  test('moves by transfer, to oneself as well', async () => {
    const outcome = await call(ALICE, 'transfer', BOB, 4n);
    expect(BigInt(outcome.output)).toBe(1n);
    expect(outcome.events.map(({ name, args }) => [name, args['value']])).toEqual([['Transfer', 4n]]);
    await call(ALICE, 'transfer', ALICE, 5n);
    expect(await view('balanceOf', ALICE)).toBe(6n);
    expect(await view('balanceOf', BOB)).toBe(4n);
    expect(await view('totalSupply')).toBe(10n);
  });

  test('does not move beyond a balance, to nobody or to the contract', async () => {
    expect((await call(ALICE, 'transfer', BOB, 11n)).error).toBe('ERC20InsufficientBalance');
    for (const to of [padHex('0x', { size: 20 }), POP_REWARD]) expect((await call(ALICE, 'transfer', to, 1n)).error).toBe('ERC20InvalidReceiver');
    expect(await view('balanceOf', ALICE)).toBe(10n);
  });

  test('moves within an allowance, which it uses up', async () => {
    expect((await call(BOB, 'transferFrom', ALICE, BOB, 1n)).error).toBe('ERC20InsufficientAllowance');
    const approval = await call(ALICE, 'approve', BOB, 5n);
    expect(approval.events.map(({ name, args }) => [name, args['value']])).toEqual([['Approval', 5n]]);
    expect((await call(BOB, 'transferFrom', ALICE, BOB, 3n)).ok).toBe(true);
    expect(await view('allowance', ALICE, BOB)).toBe(2n);
    expect((await call(BOB, 'transferFrom', ALICE, BOB, 3n)).error).toBe('ERC20InsufficientAllowance');
    expect(await view('balanceOf', BOB)).toBe(3n);
  });

  test('does not use up the greatest allowance', async () => {
    await call(ALICE, 'approve', BOB, 2n ** 256n - 1n);
    await call(BOB, 'transferFrom', ALICE, BOB, 3n);
    expect(await view('allowance', ALICE, BOB)).toBe(2n ** 256n - 1n);
    expect((await call(BOB, 'transferFrom', ALICE, BOB, 8n)).error).toBe('ERC20InsufficientBalance');
  });
});
