import { type Address, type Hex, padHex, toHex } from 'viem';
import { expect, test } from 'vitest';
import { tunnel } from '../src/index.ts';
import { claimable, deposit, toTxid } from './deposit.ts';
import { SYSTEM, TUNNEL } from './predeploy-chain.ts';
import { ALICE, createVaultScene, FEE, hashOutputs, MINIMUM, PAYEE, VAULT, type VaultScene, WEI_PER_SAT } from './vault.ts';

const DEAD: Address = '0x420000000000000000000000000000000000dead';
/** PUSH0 PUSH0 REVERT, and PUSH3 200000 PUSH0 REVERT. */
const REFUSING: Hex[] = ['0x5f5ffd', '0x62030d405ffd'];
const PEOPLE: Address[] = [ALICE, ...[1, 2, 3].map((n) => padHex(`0xfe0${n}`, { size: 20 }))];
const ROUNDS = process.env['HEMID_LONG'] === '1' ? 3_000 : 60;

/** Rounds between looks at the books, which take longer than a round. */
const CHECKED = 6;

/** A number below `n`, the same in every run. */
function createDice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * n);
  };
}

/** Every coin is with somebody, claimable, asked for in Bitcoin or settled, and Tunnel says so itself. */
async function checkBooks({ chain, view }: VaultScene, bookOf: { credited: bigint; open: bigint[]; settled: bigint }): Promise<void> {
  const { credited, open, settled } = bookOf;
  const requested = settled + open.reduce((sum, sats) => sum + sats, 0n);
  const words = ['credited', 'requested', 'settled', 'liabilities'].map((name) => view<bigint>(name));
  expect(await Promise.all(words)).toEqual([credited, requested, settled, credited - settled]);
  let [claims, held] = [0n, 0n];
  for (const one of PEOPLE) {
    claims += await claimable(chain, one);
    held += await chain.balanceOf(one);
  }
  expect(await chain.balanceOf(TUNNEL)).toBe(claims + (requested - settled) * WEI_PER_SAT);
  expect(await chain.balanceOf(DEAD)).toBe(settled * WEI_PER_SAT);
  expect(held + claims).toBe((credited - requested) * WEI_PER_SAT);
  expect(await chain.balanceOf(SYSTEM)).toBe(0n);
}

test('whatever comes in whatever order, no coin is lost, made or paid twice', async () => {
  const dice = createDice(10);
  const scene = await createVaultScene();
  const { chain } = scene;
  scene.sats.set(VAULT.address, 21n * 10n ** 14n);
  for (const [i, code] of REFUSING.entries()) await chain.setCode(PEOPLE[i + 2] as Address, code);
  const book = { credited: 0n, open: [] as bigint[], settled: 0n };
  let [txid, firstId] = [0, 1n];
  const happened = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const someone = PEOPLE[dice(PEOPLE.length)] as Address;
    const sats = BigInt(dice(1_000_000) + 1);
    const what = dice(4);
    if (what === 0) {
      // A txid now and then comes again.
      const isNew = dice(5) > 0 || txid === 0;
      if (isNew) txid += 1;
      const outcome = await deposit(chain, { recipient: someone, sats, txid: toHex(txid, { size: 32 }) });
      expect(outcome.error).toBe(isNew ? undefined : 'AlreadySeen');
      if (outcome.ok) book.credited += sats;
      happened.add(`deposit ${outcome.error ?? outcome.events.length}`);
    } else if (what === 1) {
      const wei = (await chain.balanceOf(someone)) < sats * WEI_PER_SAT ? 0n : sats * WEI_PER_SAT + BigInt(dice(2));
      const outcome = await chain.send({ from: someone, to: TUNNEL, abi: tunnel.abi, name: 'withdraw', args: [PAYEE], value: wei });
      if (outcome.ok) book.open.push(wei / WEI_PER_SAT);
      happened.add(`withdraw ${outcome.error}`);
    } else if (what === 2) {
      const outcome = await chain.send({ from: someone, to: TUNNEL, abi: tunnel.abi, name: 'claim', args: [PEOPLE[dice(PEOPLE.length)]] });
      happened.add(`claim ${outcome.error}`);
    } else {
      const paid = book.open.slice(0, dice(3));
      const netSats = paid.reduce((sum, one) => sum + one, 0n);
      const outputsHash = hashOutputs(paid.map((one) => ({ sats: one - FEE, script: PAYEE })));
      txid += 1;
      const args = [toHex(txid, { size: 32 }), firstId, paid.length, netSats, outputsHash];
      const outcome = await chain.system({ to: TUNNEL, abi: tunnel.abi, name: 'spend', args, gas: 250_000n });
      if (outcome.ok && paid.length > 0) {
        book.open.splice(0, paid.length);
        book.settled += netSats;
        firstId += BigInt(paid.length);
      }
      happened.add(`spend ${outcome.error ?? outcome.events[0]?.name}`);
    }
    if (round % CHECKED === 0) await checkBooks(scene, book);
  }
  await checkBooks(scene, book);
  expect([...happened].sort()).toEqual([
    'claim ClaimFailed',
    'claim NothingToClaim',
    'claim undefined',
    'deposit 1',
    'deposit 2',
    'deposit AlreadySeen',
    'spend Settled',
    'spend Swept',
    'withdraw BelowMinimum',
    'withdraw NotWholeSatoshis',
    'withdraw undefined',
  ]);
  expect(await scene.view('breached')).toBe(false);
});

test('what is credited never wraps: a deposit beyond 64 bits of satoshis fails whole, and others go on', async () => {
  const { chain, view } = await createVaultScene();
  const most = 2n ** 64n - 1n;
  expect((await deposit(chain, { recipient: ALICE, txid: toTxid(1), sats: most - 5n })).ok).toBe(true);
  expect((await deposit(chain, { recipient: ALICE, txid: toTxid(2), sats: 6n })).ok).toBe(false);
  expect(await view('seen', [toTxid(2)])).toBe(false);
  expect([await view('credited'), await chain.balanceOf(ALICE)]).toEqual([most - 5n, (most - 5n) * WEI_PER_SAT]);
  expect((await deposit(chain, { recipient: ALICE, txid: toTxid(3), sats: 5n })).ok).toBe(true);
  // The neighbours in the same word are untouched.
  expect([await view('requested'), await view('settled'), await view('nextId')]).toEqual([0n, 0n, 1n]);
});

test('coins that are forced on Tunnel are nobody’s: no claim, no withdrawal and no settlement reaches them', async () => {
  const { chain, sats, withdraw, view } = await createVaultScene();
  await chain.addBalance(TUNNEL, 10n ** 18n);
  sats.set(VAULT.address, 1_000_000n);
  expect((await chain.send({ from: ALICE, to: TUNNEL, abi: tunnel.abi, name: 'claim', args: [ALICE] })).error).toBe('NothingToClaim');
  expect((await withdraw({ wei: MINIMUM * WEI_PER_SAT })).error).toBe('MoreThanCredited');
  await chain.addBalance(ALICE, -(await chain.balanceOf(ALICE)));
  await deposit(chain, { recipient: ALICE, sats: 50_000n });
  expect((await withdraw({ wei: 50_000n * WEI_PER_SAT })).ok).toBe(true);
  const outputsHash = hashOutputs([{ sats: 50_000n - FEE, script: PAYEE }]);
  const args = [toTxid(9), 1n, 1, 50_000n, outputsHash];
  expect((await chain.system({ to: TUNNEL, abi: tunnel.abi, name: 'spend', args, gas: 250_000n })).ok).toBe(true);
  expect(await view('settled')).toBe(50_000n);
  expect(await chain.balanceOf(TUNNEL)).toBe(10n ** 18n);
});

test('a claim to somebody who burns all its gas or answers with a bomb harms the claimer alone', async () => {
  const { chain } = await createVaultScene();
  const [, , refusing] = PEOPLE as [Address, Address, Address];
  await chain.setCode(refusing, REFUSING[0] as Hex);
  await deposit(chain, { recipient: refusing, sats: 1_000n });
  // INVALID; PUSH3 200000 PUSH0 RETURN, which takes the coins.
  for (const code of ['0xfe', '0x62030d405ff3'] as Hex[]) {
    await chain.setCode(ALICE, code);
    const outcome = await chain.send({ from: refusing, to: TUNNEL, abi: tunnel.abi, name: 'claim', args: [ALICE], gas: 400_000n });
    expect(outcome.ok).toBe(code !== '0xfe');
    expect(await claimable(chain, refusing)).toBe(code === '0xfe' ? 1_000n * WEI_PER_SAT : 0n);
  }
  expect(await chain.balanceOf(ALICE)).toBe(1_000n * WEI_PER_SAT);
  expect(await chain.balanceOf(TUNNEL)).toBe(0n);
});
