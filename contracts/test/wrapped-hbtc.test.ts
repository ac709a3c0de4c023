import { type Address, type Hex, hashDomain, padHex, parseSignature } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { beforeEach, describe, expect, test } from 'vitest';
import { wrappedHbtc } from '../src/index.ts';
import { createPredeployChain, type Outcome, type PredeployChain, WRAPPED_HBTC } from './predeploy-chain.ts';

const OWNER = privateKeyToAccount(`0x${'a1'.repeat(32)}`);
const ALICE = OWNER.address;
const BOB: Address = padHex('0xb0b', { size: 20 });
const NOBODY: Address = padHex('0x', { size: 20 });
const ONE = 10n ** 18n;
const MAX = 2n ** 256n - 1n;
// PUSH0 PUSH0 REVERT
const REVERTS = '0x5f5ffd';

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
  await chain.addBalance(ALICE, 10n * ONE);
});

const send = (from: Address, name: string, args: unknown[] = [], value = 0n): Promise<Outcome> =>
  chain.send({ from, to: WRAPPED_HBTC, abi: wrappedHbtc.abi, name, args, value });
const view = <T>(name: string, args: unknown[] = []) => chain.read<T>(WRAPPED_HBTC, wrappedHbtc.abi, name, args);
const wrappedOf = (holder: Address) => view<bigint>('balanceOf', [holder]);
const namesOf = ({ events }: Outcome): string[] => events.map(({ name }) => name);

test('it says what it is: 18 decimals, as the native coin', async () => {
  expect([await view('name'), await view('symbol'), await view('decimals')]).toEqual(['Wrapped hBTC', 'WHBTC', 18]);
});

describe('wrapping', () => {
  test('by deposit or by sending gives a unit for a wei, to the last one', async () => {
    expect(namesOf(await send(ALICE, 'deposit', [], ONE + 1n))).toEqual(['Deposit', 'Transfer']);
    expect(namesOf(await chain.send({ from: ALICE, to: WRAPPED_HBTC, value: 1n }))).toEqual(['Deposit', 'Transfer']);
    expect(await wrappedOf(ALICE)).toBe(ONE + 2n);
    expect(await view('totalSupply')).toBe(ONE + 2n);
    expect(await chain.balanceOf(WRAPPED_HBTC)).toBe(ONE + 2n);
  });

  test('and unwrapping gives the coins back, no more than there are', async () => {
    await send(ALICE, 'deposit', [], ONE);
    expect((await send(ALICE, 'withdraw', [ONE + 1n])).error).toBe('ERC20InsufficientBalance');
    expect((await send(BOB, 'withdraw', [1n])).error).toBe('ERC20InsufficientBalance');
    expect(namesOf(await send(ALICE, 'withdraw', [ONE]))).toEqual(['Withdrawal', 'Transfer']);
    expect(await chain.balanceOf(ALICE)).toBe(10n * ONE);
    expect(await view('totalSupply')).toBe(0n);
    expect((await send(ALICE, 'withdraw', [1n])).error).toBe('ERC20InsufficientBalance');
  });

  test('cannot be undone to a contract that takes no coins; it keeps what it has', async () => {
    await send(ALICE, 'deposit', [], ONE);
    await send(ALICE, 'transfer', [BOB, ONE]);
    await chain.setCode(BOB, REVERTS);
    expect((await send(BOB, 'withdraw', [ONE])).error).toBe('WithdrawalFailed');
    expect(await wrappedOf(BOB)).toBe(ONE);
  });

  test('is not undone twice by a holder that calls again when the coins come', async () => {
    await send(ALICE, 'deposit', [], 5n * ONE);
    await send(ALICE, 'transfer', [BOB, ONE]);
    // Calls its caller with withdraw(10^18) again, and fails if that fails.
    const again = `0x632e1a7d4d60e01b5f52670de0b6b3a76400006004525f5f60245f5f335af115602457005b5f5ffd` as Hex;
    await chain.setCode(BOB, again);
    expect((await send(BOB, 'withdraw', [ONE])).error).toBe('WithdrawalFailed');
    expect(await chain.balanceOf(BOB)).toBe(0n);
    expect(await view('totalSupply')).toBe(5n * ONE);
  });
});

describe('a transfer', () => {
  beforeEach(() => send(ALICE, 'deposit', [], ONE));

  test('moves units, all of them or none, to somebody', async () => {
    expect(namesOf(await send(ALICE, 'transfer', [BOB, ONE]))).toEqual(['Transfer']);
    expect([await wrappedOf(ALICE), await wrappedOf(BOB)]).toEqual([0n, ONE]);
    expect((await send(ALICE, 'transfer', [BOB, 1n])).error).toBe('ERC20InsufficientBalance');
    for (const to of [NOBODY, WRAPPED_HBTC]) expect((await send(BOB, 'transfer', [to, 1n])).error).toBe('ERC20InvalidReceiver');
    await send(BOB, 'transfer', [BOB, ONE]);
    expect(await wrappedOf(BOB)).toBe(ONE);
  });

  test('by another needs an allowance, and uses it up unless it is without end', async () => {
    const take = (value: bigint) => send(BOB, 'transferFrom', [ALICE, BOB, value]);
    expect((await take(1n)).error).toBe('ERC20InsufficientAllowance');
    await send(ALICE, 'approve', [BOB, 5n]);
    expect((await take(6n)).error).toBe('ERC20InsufficientAllowance');
    expect((await take(5n)).ok).toBe(true);
    expect(await view('allowance', [ALICE, BOB])).toBe(0n);
    await send(ALICE, 'approve', [BOB, MAX]);
    expect((await take(7n)).ok).toBe(true);
    expect(await view('allowance', [ALICE, BOB])).toBe(MAX);
    expect((await take(ONE)).error).toBe('ERC20InsufficientBalance');
  });
});

describe('a permit', () => {
  const domain = { name: 'Wrapped hBTC', version: '1', chainId: 1, verifyingContract: WRAPPED_HBTC };
  const types = {
    Permit: [
      { name: 'owner', type: 'address' },
      { name: 'spender', type: 'address' },
      { name: 'value', type: 'uint256' },
      { name: 'nonce', type: 'uint256' },
      { name: 'deadline', type: 'uint256' },
    ],
  } as const;
  async function permit(change: { nonce?: bigint; deadline?: bigint; chainId?: number; owner?: Address; value?: bigint } = {}): Promise<Outcome> {
    const { nonce = 0n, deadline = 100n, chainId = 1, owner = ALICE, value = 9n } = change;
    const message = { owner: ALICE, spender: BOB, value: 9n, nonce, deadline };
    const signature = parseSignature(await OWNER.signTypedData({ domain: { ...domain, chainId }, types, primaryType: 'Permit', message }));
    return send(BOB, 'permit', [owner, BOB, value, deadline, 27 + signature.yParity, signature.r, signature.s]);
  }

  test('approves by signature, once', async () => {
    expect(namesOf(await permit())).toEqual(['Approval']);
    expect(await view('allowance', [ALICE, BOB])).toBe(9n);
    expect(await view('nonces', [ALICE])).toBe(1n);
    expect((await permit()).error).toBe('ERC2612InvalidSigner');
    expect((await permit({ nonce: 1n })).ok).toBe(true);
  });

  test('has the domain that wallets compute', async () => {
    const fields = [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ];
    expect(await view('DOMAIN_SEPARATOR')).toBe(hashDomain({ domain, types: { EIP712Domain: fields } } as never));
  });

  test.each([
    ['another nonce', { nonce: 1n }],
    ['another chain', { chainId: 2 }],
    ['another owner', { owner: BOB }],
    ['another value', { value: 10n }],
  ])('signed for %s is refused', async (_title, change) => {
    expect((await permit(change)).error).toBe('ERC2612InvalidSigner');
    expect(await view('allowance', [ALICE, BOB])).toBe(0n);
  });

  test('after its deadline, or by nobody with a signature that recovers to nobody, is refused', async () => {
    // The chain's time is 0 here.
    expect((await permit({ deadline: 0n })).ok).toBe(true);
    await chain.setTime(101n);
    expect((await permit({ nonce: 1n })).error).toBe('ERC2612ExpiredSignature');
    await chain.setTime(100n);
    const zero = padHex('0x', { size: 32 });
    expect((await send(BOB, 'permit', [NOBODY, BOB, 9n, 100n, 27, zero, zero])).error).toBe('ERC2612InvalidSigner');
  });
});
