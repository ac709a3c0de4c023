import { type Address, type Hex, keccak256, padHex } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { tunnel } from '../src/index.ts';
import { deposit, SPEND_GAS, toTxid } from './deposit.ts';
import { type Outcome, type PredeployChain, TUNNEL } from './predeploy-chain.ts';
import { ALICE, createVaultScene, digestOf, FEE, hashOutputs, MINIMUM, PAYEE, VAULT, type VaultScene, WEI_PER_SAT } from './vault.ts';

const BOB: Address = padHex('0xb0b', { size: 20 });
const DEAD: Address = '0x420000000000000000000000000000000000dead';
const NO_OUTPUTS = keccak256('0x');
const P2TR: Hex = `0x5120${'ee'.repeat(32)}`;
const DEPOSITED = 100_000_000n;

let scene: VaultScene;
let chain: PredeployChain;
beforeEach(async () => {
  scene = await createVaultScene();
  chain = scene.chain;
  scene.sats.set(VAULT.address, DEPOSITED);
  await deposit(chain, { recipient: ALICE, txid: toTxid(0), sats: DEPOSITED });
});

interface Spend {
  txid?: Hex;
  firstId: bigint;
  count: number;
  netSats: bigint;
  outputsHash?: Hex;
}

const spend = ({ txid = toTxid(100), firstId, count, netSats, outputsHash = NO_OUTPUTS }: Spend): Promise<Outcome> =>
  chain.system({
    to: TUNNEL,
    abi: tunnel.abi,
    name: 'spend',
    args: [txid, firstId, count, netSats, outputsHash],
    gas: SPEND_GAS + 40_000n * BigInt(count),
  });
const namesOf = ({ events }: Outcome): string[] => events.map(({ name }) => name);

/** Requests with these amounts, to two scripts by turns. */
async function request(...amounts: bigint[]): Promise<void> {
  for (const [i, sats] of amounts.entries()) {
    const outcome = await scene.withdraw({ wei: sats * WEI_PER_SAT, script: i % 2 === 0 ? PAYEE : P2TR });
    if (!outcome.ok) throw new Error(outcome.error);
  }
}
const outputsOf = (...amounts: bigint[]) => amounts.map((sats, i) => ({ sats: sats - FEE, script: i % 2 === 0 ? PAYEE : P2TR }));

/** The spend that pays the first requests with these amounts. */
const batchOf = (firstId: bigint, ...amounts: bigint[]): Spend => ({
  firstId,
  count: amounts.length,
  netSats: amounts.reduce((sum, sats) => sum + sats, 0n),
  outputsHash: hashOutputs(outputsOf(...amounts)),
});

describe('a batch', () => {
  const amounts = [MINIMUM, 50_000n, 60_000n];
  beforeEach(() => request(...amounts, 70_000n));

  test('that pays the lowest open requests settles them, and their coins go to the dead address', async () => {
    const batch = batchOf(1n, ...amounts);
    const outcome = await spend(batch);
    expect(outcome.events).toEqual([{ address: TUNNEL, name: 'Settled', args: { txid: toTxid(100), firstId: 1n, count: 3, sats: batch.netSats } }]);
    expect(await scene.view('settled')).toBe(batch.netSats);
    expect(await scene.view('settledCount')).toBe(3n);
    expect(await scene.view('lowestOpenId')).toBe(4n);
    expect(await scene.view('liabilities')).toBe(DEPOSITED - batch.netSats);
    expect(await chain.balanceOf(DEAD)).toBe(batch.netSats * WEI_PER_SAT);
    expect(await chain.balanceOf(TUNNEL)).toBe(70_000n * WEI_PER_SAT);
    expect(await scene.view('batches', [1n])).toEqual([digestOf(3, batch.netSats, batch.outputsHash as Hex), toTxid(100)]);
    expect(await scene.view('breached')).toBe(false);
    expect(await scene.view('seen', [toTxid(100)])).toBe(true);
  });

  test('may take fewer; the next one goes on where it ended', async () => {
    expect(namesOf(await spend(batchOf(1n, MINIMUM)))).toEqual(['Settled']);
    const rest = {
      firstId: 2n,
      count: 3,
      netSats: 180_000n,
      outputsHash: hashOutputs([
        { sats: 50_000n - FEE, script: P2TR },
        { sats: 60_000n - FEE, script: PAYEE },
        { sats: 70_000n - FEE, script: P2TR },
      ]),
    };
    expect(namesOf(await spend({ ...rest, txid: toTxid(101) }))).toEqual(['Settled']);
    expect(await scene.view('lowestOpenId')).toBe(5n);
    expect(await chain.balanceOf(TUNNEL)).toBe(0n);
    expect(await scene.view('settled')).toBe(await scene.view('requested'));
  });

  const right = batchOf(1n, ...amounts);
  const wrong: [string, Partial<Spend>][] = [
    ['begins above the lowest open request', { firstId: 2n }],
    ['begins at 0', { firstId: 0n }],
    ['begins at the highest id there can be', { firstId: 2n ** 64n - 1n }],
    ['takes a satoshi more from the vault', { netSats: right.netSats + 1n }],
    ['takes a satoshi less from the vault', { netSats: right.netSats - 1n }],
    ['takes nothing from the vault', { netSats: 0n }],
    ['has one request more than it pays', { count: 4 }],
    ['has one request less', { count: 2 }],
    ['has requests that do not exist', { count: 5 }],
    ['has none and takes the sats all the same', { count: 0 }],
    ['pays others', { outputsHash: NO_OUTPUTS }],
    ['pays in another order', { outputsHash: hashOutputs(outputsOf(...amounts).reverse()) }],
    ['pays the fee too', { outputsHash: hashOutputs(outputsOf(...amounts).map(({ sats, script }) => ({ sats: sats + FEE, script }))) }],
  ];
  test.each(wrong)('that %s is a breach: no coins move and nothing is settled', async (_title, change) => {
    const outcome = await spend({ ...right, ...change });
    expect(namesOf(outcome)).toEqual(['Breach']);
    expect(await scene.view('breached')).toBe(true);
    expect(await scene.view('breaches', [0n])).toBe(toTxid(100));
    expect(await scene.view('lowestOpenId')).toBe(1n);
    expect(await scene.view('settled')).toBe(0n);
    expect(await chain.balanceOf(DEAD)).toBe(0n);
  });

  test('pays what was requested when the fee was another', async () => {
    await spend(batchOf(1n, ...amounts));
    await scene.setLimits({ fee: 5_000n, minimum: 60_000n });
    await request(60_000n);
    const outputs = [
      { sats: 70_000n - FEE, script: P2TR },
      { sats: 60_000n - 5_000n, script: PAYEE },
    ];
    expect(namesOf(await spend({ txid: toTxid(101), firstId: 4n, count: 2, netSats: 130_000n, outputsHash: hashOutputs(outputs) }))).toEqual([
      'Settled',
    ]);
  });

  test('is settled although a breach stands: what was paid was paid', async () => {
    await spend({ txid: toTxid(99), firstId: 0n, count: 0, netSats: 1n });
    expect(namesOf(await spend(batchOf(1n, ...amounts)))).toEqual(['Settled']);
    expect(await scene.view('breached')).toBe(true);
  });
});

describe('a later version of a settled batch', () => {
  const amounts = [MINIMUM, 50_000n];
  const batch = batchOf(1n, ...amounts);
  beforeEach(async () => {
    await request(...amounts, 70_000n);
    await spend(batch);
  });

  test('replaces it: recorded, and no coins move', async () => {
    const outcome = await spend({ ...batch, txid: toTxid(101) });
    expect(outcome.events).toEqual([{ address: TUNNEL, name: 'Replaced', args: { txid: toTxid(101), firstId: 1n, settledBy: toTxid(100) } }]);
    expect(await scene.view('settled')).toBe(batch.netSats);
    expect(await chain.balanceOf(DEAD)).toBe(batch.netSats * WEI_PER_SAT);
    expect(await scene.view('breached')).toBe(false);
    // As often as need be.
    expect(namesOf(await spend({ ...batch, txid: toTxid(102) }))).toEqual(['Replaced']);
  });

  const changes: [string, Partial<Spend>][] = [
    ['another sum', { netSats: batch.netSats + 1n }],
    ['other outputs', { outputsHash: NO_OUTPUTS }],
    ['one request less', { count: 1 }],
    ['one request more, which is open', { count: 3 }],
    ['the second request alone', { firstId: 2n, count: 1, netSats: 50_000n, outputsHash: hashOutputs([{ sats: 50_000n - FEE, script: P2TR }]) }],
  ];
  test.each(changes)('with %s is a breach', async (_title, change) => {
    expect(namesOf(await spend({ ...batch, ...change, txid: toTxid(101) }))).toEqual(['Breach']);
    expect(await scene.view('lowestOpenId')).toBe(3n);
  });
});

describe('a sweep', () => {
  test('names the lowest open request, with count 0 and the vault no poorer', async () => {
    const outcome = await spend({ firstId: 1n, count: 0, netSats: 0n });
    expect(outcome.events).toEqual([{ address: TUNNEL, name: 'Swept', args: { txid: toTxid(100) } }]);
    expect(await scene.view('breached')).toBe(false);
    await request(MINIMUM);
    expect(namesOf(await spend({ txid: toTxid(101), firstId: 1n, count: 0, netSats: 0n }))).toEqual(['Swept']);
    await spend({ txid: toTxid(102), ...batchOf(1n, MINIMUM) });
    expect(namesOf(await spend({ txid: toTxid(103), firstId: 2n, count: 0, netSats: 0n }))).toEqual(['Swept']);
    expect(await scene.view('lowestOpenId')).toBe(2n);
  });

  test.each([
    ['that names another request', { firstId: 2n, count: 0, netSats: 0n }],
    ['without its mark', { firstId: 0n, count: 0, netSats: 0n }],
    ['that costs the vault a satoshi', { firstId: 1n, count: 0, netSats: 1n }],
  ])('%s is a breach', async (_title, one) => {
    expect(namesOf(await spend(one))).toEqual(['Breach']);
  });
});

describe('a vault spend that pays nothing', () => {
  const theft: Spend = { firstId: 3n, count: 2, netSats: 75_000n };

  test('is marked, counted and logged as a breach', async () => {
    const outcome = await spend(theft);
    expect(outcome.events).toEqual([
      { address: TUNNEL, name: 'Breach', args: { txid: toTxid(100), firstId: 3n, count: 2, netSats: 75_000n, outputsHash: NO_OUTPUTS } },
    ]);
    expect(await scene.view('seen', [toTxid(100)])).toBe(true);
    expect(await scene.view('breachCount')).toBe(1n);
    await spend({ ...theft, txid: toTxid(101) });
    expect(await scene.view('breachCount')).toBe(2n);
  });

  test('is refused from anyone but the system sender', async () => {
    const args = [toTxid(100), 0n, 0, 0n, NO_OUTPUTS];
    expect((await chain.send({ from: BOB, to: TUNNEL, abi: tunnel.abi, name: 'spend', args })).error).toBe('OnlySystem');
    expect(await scene.view('breachCount')).toBe(0n);
  });

  test('has a txid that comes once, as a spend or as a deposit', async () => {
    await spend(theft);
    expect((await spend(theft)).error).toBe('AlreadySeen');
    expect((await deposit(chain, { recipient: BOB, txid: toTxid(100) })).error).toBe('AlreadySeen');
    await deposit(chain, { recipient: BOB, txid: toTxid(2) });
    expect((await spend({ ...theft, txid: toTxid(2) })).error).toBe('AlreadySeen');
    expect(await scene.view('breachCount')).toBe(1n);
  });

  test('does not stop deposits', async () => {
    await spend(theft);
    expect((await deposit(chain, { recipient: BOB, txid: toTxid(2) })).ok).toBe(true);
    expect(await chain.balanceOf(BOB)).toBe(75_000n * WEI_PER_SAT);
  });
});

describe('the gas of a vault spend', () => {
  test('is enough for the first breach', async () => {
    expect((await spend({ firstId: 0n, count: 0, netSats: 1n })).gasUsed).toBeLessThan((SPEND_GAS * 9n) / 10n);
  });

  test('is enough to settle one request, when everything is written for the first time', async () => {
    await request(MINIMUM);
    const outcome = await spend(batchOf(1n, MINIMUM));
    expect(namesOf(outcome)).toEqual(['Settled']);
    expect(outcome.gasUsed).toBeLessThan(((SPEND_GAS + 40_000n) * 9n) / 10n);
  });

  test('is enough to settle 64 requests to the longest scripts, or to find that one of them is not paid', async () => {
    const amounts = Array.from({ length: 64 }, () => MINIMUM);
    for (const sats of amounts) await scene.withdraw({ wei: sats * WEI_PER_SAT, script: P2TR });
    const outputs = amounts.map((sats) => ({ sats: sats - FEE, script: P2TR }));
    const batch = { firstId: 1n, count: 64, netSats: 64n * MINIMUM, outputsHash: hashOutputs(outputs) };
    const breach = await spend({ ...batch, outputsHash: NO_OUTPUTS, txid: toTxid(99) });
    expect(namesOf(breach)).toEqual(['Breach']);
    const outcome = await spend(batch);
    expect(namesOf(outcome)).toEqual(['Settled']);
    for (const { gasUsed } of [breach, outcome]) expect(gasUsed).toBeLessThan((SPEND_GAS + 64n * 40_000n) / 2n);
  });
});
