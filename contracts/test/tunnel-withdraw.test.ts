import { type Address, type Hex, padHex } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { tunnel } from '../src/index.ts';
import { deposit, SPEND_GAS, toTxid } from './deposit.ts';
import { type PredeployChain, TUNNEL } from './predeploy-chain.ts';
import { ALICE, createVaultScene, FEE, FORMER_VAULT, MINIMUM, PAYEE, VAULT, type VaultScene, WEI_PER_SAT } from './vault.ts';

const BOB: Address = padHex('0xb0b', { size: 20 });
const DEPOSITED = 1_000_000n;

let scene: VaultScene;
let chain: PredeployChain;
beforeEach(async () => {
  scene = await createVaultScene();
  chain = scene.chain;
  scene.sats.set(VAULT.address, DEPOSITED + 2_000n);
  await deposit(chain, { recipient: ALICE, txid: toTxid(1), sats: DEPOSITED });
});

const nothingHappened = async (): Promise<void> => {
  expect(await scene.view('requested')).toBe(0n);
  expect(await scene.view('requestCount')).toBe(0n);
  expect(await chain.balanceOf(TUNNEL)).toBe(0n);
};

describe('a withdrawal', () => {
  test('takes the coins, counts, keeps the fee in force, and is logged', async () => {
    const outcome = await scene.withdraw({ wei: 75_000n * WEI_PER_SAT });
    expect(outcome.ok).toBe(true);
    expect(BigInt(outcome.output)).toBe(1n);
    expect(outcome.events).toEqual([
      {
        address: TUNNEL,
        name: 'WithdrawalRequested',
        args: { id: 1n, from: '0x00000000000000000000000000000000000A11cE', sats: 75_000n, feeSats: FEE, scriptPubKey: PAYEE },
      },
    ]);
    expect(await chain.balanceOf(TUNNEL)).toBe(75_000n * WEI_PER_SAT);
    expect(await chain.balanceOf(ALICE)).toBe((DEPOSITED - 75_000n) * WEI_PER_SAT);
    expect(await scene.view('requested')).toBe(75_000n);
    expect(await scene.view('credited')).toBe(DEPOSITED);
    expect(await scene.view('settled')).toBe(0n);
    expect(await scene.view('liabilities')).toBe(DEPOSITED);
    expect(await scene.view('lowestOpenId')).toBe(1n);
    expect(await scene.view('request', [1n])).toEqual({ sats: 75_000n, feeSats: FEE, blockNumber: 1_000n, scriptPubKey: PAYEE });
  });

  test('gets the next id, and the fee of its own time', async () => {
    await scene.withdraw({});
    await scene.setLimits({ fee: 4_500n, minimum: 50_000n });
    expect((await scene.withdraw({})).error).toBe('BelowMinimum');
    await scene.withdraw({ wei: 50_000n * WEI_PER_SAT });
    expect(await scene.view('request', [1n])).toMatchObject({ sats: MINIMUM, feeSats: FEE });
    expect(await scene.view('request', [2n])).toMatchObject({ sats: 50_000n, feeSats: 4_500n });
    expect(await scene.view('requestCount')).toBe(2n);
    expect(await scene.view('nextId')).toBe(3n);
    expect(await scene.view('lowestOpenId')).toBe(1n);
  });

  test('stands in the four words of slot 0 that the executor reads', async () => {
    await scene.withdraw({});
    const word = BigInt(await chain.storageAt(TUNNEL, padHex('0x', { size: 32 })));
    const parts = [0n, 64n, 128n, 192n].map((shift) => BigInt.asUintN(64, word >> shift));
    expect(parts).toEqual([DEPOSITED, MINIMUM, 0n, 1n]);
  });

  test.each([0n, 2n, 2n ** 64n - 1n])('with id %s does not exist', async (id) => {
    await scene.withdraw({});
    await expect(scene.view('request', [id])).rejects.toThrow('UnknownRequest');
  });
});

describe('an amount', () => {
  test.each([1n, WEI_PER_SAT - 1n, 5n * 10n ** 9n])('of whole satoshis and %s wei is refused', async (extra) => {
    expect((await scene.withdraw({ wei: 75_000n * WEI_PER_SAT + extra })).error).toBe('NotWholeSatoshis');
    await nothingHappened();
  });

  test('below the minimum is refused, the minimum is not', async () => {
    expect((await scene.withdraw({ wei: 0n })).error).toBe('BelowMinimum');
    expect((await scene.withdraw({ wei: (MINIMUM - 1n) * WEI_PER_SAT })).error).toBe('BelowMinimum');
    await nothingHappened();
    expect((await scene.withdraw({ wei: MINIMUM * WEI_PER_SAT })).ok).toBe(true);
  });

  test('of all that was credited is paid, of a satoshi more is refused: coins of the genesis do not leave', async () => {
    expect((await scene.withdraw({ wei: (DEPOSITED + 1n) * WEI_PER_SAT })).error).toBe('MoreThanCredited');
    await nothingHappened();
    expect((await scene.withdraw({ wei: DEPOSITED * WEI_PER_SAT })).ok).toBe(true);
    expect((await scene.withdraw({ from: BOB })).error).toBe('MoreThanCredited');
  });

  test('that does not fit in 64 bits of satoshis is refused, not cut', async () => {
    for (const sats of [2n ** 64n, 2n ** 64n + MINIMUM, 2n ** 64n - 1n, 2n ** 200n]) {
      expect((await scene.withdraw({ wei: sats * WEI_PER_SAT })).error).toBe('MoreThanCredited');
    }
    await nothingHappened();
  });

  test('of all the bitcoin there will ever be is taken', async () => {
    const most = 21n * 10n ** 14n;
    await deposit(chain, { recipient: ALICE, txid: toTxid(2), sats: most - DEPOSITED });
    scene.sats.set(VAULT.address, most);
    expect((await scene.withdraw({ wei: most * WEI_PER_SAT })).ok).toBe(true);
    expect(await scene.view('requested')).toBe(most);
  });
});

describe('a script', () => {
  const hash20 = 'cd'.repeat(20);
  const hash32 = 'ef'.repeat(32);
  const payable: [string, Hex][] = [
    ['P2PKH', `0x76a914${hash20}88ac`],
    ['P2SH', `0xa914${hash20}87`],
    ['P2WPKH', `0x0014${hash20}`],
    ['P2WSH', `0x0020${hash32}`],
    ['P2TR', `0x5120${hash32}`],
  ];
  test.each(payable)('that is %s is taken and kept', async (_title, script) => {
    expect((await scene.withdraw({ script })).ok).toBe(true);
    expect(await scene.view('request', [1n])).toMatchObject({ scriptPubKey: script });
  });

  const changed = payable.flatMap(([title, script]): [string, Hex][] => [
    [`${title} less a byte`, script.slice(0, -2) as Hex],
    [`${title} and a byte`, `${script}00`],
    [`${title} with another first byte`, `0x52${script.slice(4)}`],
    [`${title} with another push`, `0x${script.slice(2, 4)}13${script.slice(6)}`],
  ]);
  const others: [string, Hex][] = [
    ['nothing', '0x'],
    ['OP_RETURN', `0x6a14${hash20}`],
    ['a bare key', `0x21${'02'.repeat(33)}ac`],
    ['P2PKH with another end', `0x76a914${hash20}88ad`],
    ['P2PKH without its compare', `0x76a914${hash20}87ac`],
    ['P2PKH that hashes otherwise', `0x76a814${hash20}88ac`],
    ['P2SH with another end', `0xa914${hash20}88`],
    ['witness version 1 of 20 bytes', `0x5114${hash20}`],
    ['witness version 2', `0x5220${hash32}`],
    ['pay to anchor', '0x51024e73'],
    ['2,000 bytes', `0x${'00'.repeat(2_000)}`],
  ];
  test.each([...changed, ...others])('that is %s is refused', async (_title, script) => {
    expect((await scene.withdraw({ script })).error).toBe('NotAPaymentScript');
    await nothingHappened();
  });

  test('of a vault, current or former, is refused; of one that is none, not', async () => {
    expect((await scene.withdraw({ script: VAULT.script })).error).toBe('PaysVault');
    expect((await scene.withdraw({ script: FORMER_VAULT.script })).ok).toBe(true);
    scene.sats.set(FORMER_VAULT.address, 0n);
    await scene.setVaults([VAULT, FORMER_VAULT]);
    for (const { script } of [VAULT, FORMER_VAULT]) expect((await scene.withdraw({ script })).error).toBe('PaysVault');
  });
});

describe('a deficit', () => {
  test('stops withdrawals, and heals by itself', async () => {
    scene.sats.set(VAULT.address, DEPOSITED - 1n);
    expect((await scene.withdraw({})).error).toBe('VaultDeficit');
    expect(await scene.view('deficit')).toBe(1n);
    expect(await scene.view('reserves')).toBe(DEPOSITED - 1n);
    await nothingHappened();
    scene.sats.set(VAULT.address, DEPOSITED);
    expect(await scene.view('deficit')).toBe(0n);
    expect((await scene.withdraw({})).ok).toBe(true);
  });

  test('is not made by a batch that is paid and not yet settled: what is requested is not owed twice', async () => {
    await scene.withdraw({ wei: 100_000n * WEI_PER_SAT });
    scene.sats.set(VAULT.address, DEPOSITED - 100_000n);
    expect(await scene.view('deficit')).toBe(0n);
    expect((await scene.withdraw({})).ok).toBe(true);
    scene.sats.set(VAULT.address, DEPOSITED - 100_000n - MINIMUM - 1n);
    expect((await scene.withdraw({})).error).toBe('VaultDeficit');
  });

  test('is counted over all vaults', async () => {
    scene.sats.set(VAULT.address, DEPOSITED - 5n);
    scene.sats.set(FORMER_VAULT.address, 5n);
    expect((await scene.withdraw({})).error).toBe('VaultDeficit');
    await scene.setVaults([VAULT, FORMER_VAULT]);
    expect(await scene.view('vaults')).toEqual([VAULT.address, FORMER_VAULT.address]);
    expect(await scene.view('reserves')).toBe(DEPOSITED);
    expect((await scene.withdraw({})).ok).toBe(true);
  });

  test('is not assumed away when the balance cannot be had: no answer, or no gas for one', async () => {
    scene.sats.delete(VAULT.address);
    expect((await scene.withdraw({})).error).toBe('BitcoinBalanceUnavailable');
    scene.sats.set(VAULT.address, DEPOSITED);
    expect((await scene.withdraw({ gas: 90_000n })).ok).toBe(false);
    await nothingHappened();
  });
});

describe('a breach', () => {
  const breach = (txid: Hex) =>
    chain.system({ to: TUNNEL, abi: tunnel.abi, name: 'spend', args: [txid, 0n, 0, 500n, padHex('0x', { size: 32 })], gas: SPEND_GAS });

  test('stops withdrawals until it is cleared, each for itself, and not deposits', async () => {
    await breach(toTxid(7));
    await breach(toTxid(8));
    expect(await scene.view('breached')).toBe(true);
    expect((await scene.withdraw({})).error).toBe('Breached');
    expect((await deposit(chain, { recipient: BOB, txid: toTxid(2), sats: 2_000n })).ok).toBe(true);
    await scene.clear(toTxid(8));
    expect((await scene.withdraw({})).error).toBe('Breached');
    await scene.clear(toTxid(7));
    expect(await scene.view('breached')).toBe(false);
    expect((await scene.withdraw({})).ok).toBe(true);
    expect(await scene.view('breachCount')).toBe(2n);
    await breach(toTxid(9));
    expect((await scene.withdraw({})).error).toBe('Breached');
  });

  test('that was cleared before it came is logged and stops nothing', async () => {
    await scene.clear(toTxid(7));
    expect((await breach(toTxid(7))).events.map(({ name }) => name)).toEqual(['Breach']);
    expect((await scene.withdraw({})).ok).toBe(true);
  });
});

test('a withdrawal costs what its vaults cost: 250,000 gas with one, 60,000 for each other', async () => {
  const one = (await scene.withdraw({ script: `0x5120${'ef'.repeat(32)}` })).gasUsed;
  expect(one).toBeLessThan(250_000n);
  scene.sats.set(FORMER_VAULT.address, 0n);
  await scene.setVaults([VAULT, FORMER_VAULT]);
  const two = (await scene.withdraw({ script: `0x5120${'ef'.repeat(32)}` })).gasUsed;
  expect(two - one).toBeLessThan(65_000n);
});
