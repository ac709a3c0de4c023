import { type Address, concatHex, type Hex, keccak256, padHex, toHex } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { bitcoinProbe, tunnel } from '../src/index.ts';
import { claimable, DEPOSIT_GAS, deposit, toTxid } from './deposit.ts';
import { createPredeployChain, DEPOSIT_CALLER, type PredeployChain, SYSTEM, TUNNEL } from './predeploy-chain.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const RECIPIENT: Address = '0xc0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff';
const SATS = 75_000n;
const WEI = SATS * 10n ** 10n;

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain();
});

const view = <T>(name: string, args: unknown[] = []) => chain.read<T>(TUNNEL, tunnel.abi, name, args);

describe('a deposit', () => {
  test('to a fresh account is marked, counted, logged and paid', async () => {
    const outcome = await deposit(chain, { recipient: ALICE });
    expect(outcome.ok).toBe(true);
    expect(outcome.events).toEqual([
      {
        address: TUNNEL,
        name: 'Deposited',
        args: {
          txid: toTxid(1),
          recipient: '0x00000000000000000000000000000000000A11cE',
          sats: SATS,
          vout: 1,
          height: 900_000,
        },
      },
    ]);
    expect(await chain.balanceOf(ALICE)).toBe(WEI);
    expect(await view('seen', [toTxid(1)])).toBe(true);
    expect(await view('seen', [toTxid(2)])).toBe(false);
    expect(await view('credited')).toBe(SATS);
    expect(await claimable(chain, ALICE)).toBe(0n);
    for (const empty of [SYSTEM, TUNNEL, DEPOSIT_CALLER]) expect(await chain.balanceOf(empty)).toBe(0n);
  });

  test('sets the slot that the executor reads: keccak256("hemid.seen" ‖ txid) = 1', async () => {
    const slot = keccak256(concatHex([toHex('hemid.seen'), toTxid(1)]));
    expect(await chain.storageAt(TUNNEL, slot)).toBe(padHex('0x', { size: 32 }));
    await deposit(chain, { recipient: ALICE });
    expect(await chain.storageAt(TUNNEL, slot)).toBe(padHex('0x01', { size: 32 }));
  });

  test('counts in the low 64 bits of slot 0, beside the breaches', async () => {
    await deposit(chain, { recipient: ALICE });
    expect(BigInt(await chain.storageAt(TUNNEL, padHex('0x', { size: 32 })))).toBe(SATS);
  });

  test('adds to what was credited before', async () => {
    await deposit(chain, { recipient: ALICE, txid: toTxid(1) });
    await deposit(chain, { recipient: ALICE, txid: toTxid(2), sats: 5n });
    expect(await view('credited')).toBe(SATS + 5n);
    expect(await chain.balanceOf(ALICE)).toBe(WEI + 5n * 10n ** 10n);
  });

  test('of more wei than 64 bits hold is paid in full', async () => {
    const sats = 21n * 10n ** 14n;
    expect((await deposit(chain, { recipient: ALICE, sats })).ok).toBe(true);
    expect(await chain.balanceOf(ALICE)).toBe(sats * 10n ** 10n);
  });

  test('is refused from anyone but the system sender', async () => {
    await chain.addBalance(ALICE, WEI);
    const outcome = await chain.send({
      from: ALICE,
      to: TUNNEL,
      abi: tunnel.abi,
      name: 'deposit',
      args: [toTxid(1), 0, 1, SATS, ALICE, '0x'],
      value: WEI,
    });
    expect(outcome.error).toBe('OnlySystem');
    expect(await view('seen', [toTxid(1)])).toBe(false);
  });

  test.each([WEI - 1n, WEI + 1n, 0n])('is refused with a value of %s wei for 75,000 sats', async (value) => {
    expect((await deposit(chain, { recipient: ALICE, value })).error).toBe('WrongValue');
    expect(await view('seen', [toTxid(1)])).toBe(false);
    expect(await view('credited')).toBe(0n);
  });

  test('is refused the second time that its txid comes', async () => {
    await deposit(chain, { recipient: ALICE });
    expect((await deposit(chain, { recipient: RECIPIENT, sats: 9n })).error).toBe('AlreadySeen');
    expect(await view('credited')).toBe(SATS);
    expect(await chain.balanceOf(RECIPIENT)).toBe(0n);
  });

  test('is refused if the executor has written the mark itself', async () => {
    await chain.setStorage(TUNNEL, keccak256(concatHex([toHex('hemid.seen'), toTxid(1)])), '0x01');
    expect((await deposit(chain, { recipient: ALICE })).error).toBe('AlreadySeen');
  });
});

describe('a deposit to a contract', () => {
  test('brings it the payload and the value, from DepositCaller', async () => {
    await chain.setCode(RECIPIENT, bitcoinProbe.deployedBytecode);
    const payload = padHex('0xfeed', { size: 60, dir: 'right' });
    const outcome = await deposit(chain, { recipient: RECIPIENT, payload });
    expect(outcome.events.map(({ name }) => name)).toEqual(['Deposited']);
    expect(await chain.read(RECIPIENT, bitcoinProbe.abi, 'lastValue')).toBe(WEI);
    expect(await chain.read(RECIPIENT, bitcoinProbe.abi, 'lastData')).toBe(payload);
    expect(await chain.balanceOf(RECIPIENT)).toBe(WEI);
  });

  test('is made by DepositCaller, not by Tunnel or the system sender', async () => {
    // CALLER PUSH0 SSTORE STOP: keeps its caller in slot 0.
    await chain.setCode(RECIPIENT, '0x335f5500');
    await deposit(chain, { recipient: RECIPIENT });
    expect(await chain.storageAt(RECIPIENT, padHex('0x', { size: 32 }))).toBe(padHex(DEPOSIT_CALLER, { size: 32 }));
  });

  // Each fails in its own way, at its dearest: a full payload without a zero byte.
  const failing: [string, Hex][] = [
    // PUSH0 PUSH0 REVERT
    ['reverts', '0x5f5ffd'],
    // INVALID
    ['burns all its gas at once', '0xfe'],
    // JUMPDEST PUSH0 JUMP
    ['loops until its gas is gone', '0x5b5f56'],
    // PUSH3 200000 PUSH0 REVERT: about 95,000 gas of memory, all of it returned as the reason
    ['reverts with a bomb of 200,000 bytes', '0x62030d405ffd'],
  ];
  test.each(failing)('that %s stays within 250,000 gas and can be claimed', async (_title, code) => {
    await chain.setCode(RECIPIENT, code);
    const outcome = await deposit(chain, { recipient: RECIPIENT, payload: `0x${'ff'.repeat(80)}` });
    expect(outcome.ok).toBe(true);
    expect(outcome.events.map(({ name }) => name)).toEqual(['Deposited', 'DepositClaimable']);
    expect(outcome.events[1]?.args).toMatchObject({ txid: toTxid(1), amount: WEI });
    expect(outcome.gasUsed).toBeLessThan(DEPOSIT_GAS);
    expect(await claimable(chain, RECIPIENT)).toBe(WEI);
    expect(await chain.balanceOf(TUNNEL)).toBe(WEI);
    expect(await chain.balanceOf(RECIPIENT)).toBe(0n);
    expect(await view('seen', [toTxid(1)])).toBe(true);
    expect(await view('credited')).toBe(SATS);
  });

  test('that burns all its gas as the EIP-7702 delegate of an account leaves 20,000 of the 250,000 gas unused', async () => {
    const delegate: Address = padHex('0xde1e', { size: 20 });
    await chain.setCode(delegate, '0xfe');
    await chain.setCode(RECIPIENT, concatHex(['0xef0100', delegate]));
    const outcome = await deposit(chain, { recipient: RECIPIENT, payload: `0x${'ff'.repeat(80)}` });
    expect(outcome.ok).toBe(true);
    expect(await claimable(chain, RECIPIENT)).toBe(WEI);
    expect(outcome.gasUsed).toBeLessThan(DEPOSIT_GAS - 20_000n);
    // It did burn them: a reverting recipient costs at least 100,000 less.
    expect(outcome.gasUsed).toBeGreaterThan(200_000n);
  });

  test('that answers with a bomb of 200,000 bytes is paid, and nobody copies the answer', async () => {
    // PUSH3 200000 PUSH0 RETURN
    await chain.setCode(RECIPIENT, '0x62030d405ff3');
    const outcome = await deposit(chain, { recipient: RECIPIENT });
    expect(outcome.ok).toBe(true);
    expect(await chain.balanceOf(RECIPIENT)).toBe(WEI);
    expect(outcome.gasUsed).toBeLessThan(DEPOSIT_GAS - 50_000n);
  });
});

test('a deposit without the gas for its recipient fails whole and leaves no mark', async () => {
  await chain.setCode(RECIPIENT, bitcoinProbe.deployedBytecode);
  expect((await deposit(chain, { recipient: RECIPIENT, gas: 200_000n })).error).toBe('NotEnoughGas');
  expect(await view('seen', [toTxid(1)])).toBe(false);
  expect(await claimable(chain, RECIPIENT)).toBe(0n);
});

describe('a deposit that calls nobody', () => {
  const uncallable: [string, Address][] = [
    ['the first precompile', padHex('0x01', { size: 20 })],
    ['identity', padHex('0x04', { size: 20 })],
    ['the last BLS12-381 precompile', padHex('0x11', { size: 20 })],
    ['P256VERIFY', padHex('0x100', { size: 20 })],
    ['the first Bitcoin precompile', padHex('0x40', { size: 20 })],
    ['the last Bitcoin precompile', padHex('0x49', { size: 20 })],
    ['the first predeploy address', '0x4200000000000000000000000000000000000000'],
    ['Tunnel', TUNNEL],
    ['DepositCaller', DEPOSIT_CALLER],
    ['the last predeploy address', '0x420000000000000000000000000000000000ffff'],
    ['the EIP-2935 contract', '0x0000f90827f1c53a10cb7a02335b175320002935'],
    ['the system sender', SYSTEM],
  ];
  test.each(uncallable)('has %s as its recipient: claimable at once', async (_title, recipient) => {
    const outcome = await deposit(chain, { recipient });
    expect(outcome.events.map(({ name }) => name)).toEqual(['Deposited', 'DepositClaimable']);
    // A precompile that is called and fails looks the same, but for its gas.
    expect(outcome.gasUsed).toBeLessThan(100_000n);
    expect(await claimable(chain, recipient)).toBe(WEI);
    expect(await chain.balanceOf(TUNNEL)).toBe(WEI);
  });

  const neighbours: Address[] = [
    padHex('0x00', { size: 20 }),
    padHex('0x12', { size: 20 }),
    padHex('0x3f', { size: 20 }),
    padHex('0x4a', { size: 20 }),
    padHex('0xff', { size: 20 }),
    padHex('0x101', { size: 20 }),
    '0x41ffffffffffffffffffffffffffffffffffffff',
    '0x4200000000000000000000000000000000010000',
  ];
  test.each(neighbours)('is not one to %s, which is an ordinary address', async (recipient) => {
    const outcome = await deposit(chain, { recipient });
    expect(outcome.events.map(({ name }) => name)).toEqual(['Deposited']);
    expect(await chain.balanceOf(recipient)).toBe(WEI);
  });
});

test('the cursor is read from the two slots that the executor writes', async () => {
  expect(await view('cursor')).toEqual([padHex('0x', { size: 32 }), 0]);
  await chain.setStorage(TUNNEL, keccak256(toHex('hemid.cursor.hash')), toTxid(7));
  await chain.setStorage(TUNNEL, keccak256(toHex('hemid.cursor.next')), '0xffffffff');
  expect(await view('cursor')).toEqual([toTxid(7), 2 ** 32 - 1]);
});

test('Tunnel takes no coins from anyone but DepositCaller', async () => {
  await chain.addBalance(ALICE, 1n);
  expect((await chain.send({ from: ALICE, to: TUNNEL, value: 1n })).error).toBe('OnlyDepositCaller');
});
