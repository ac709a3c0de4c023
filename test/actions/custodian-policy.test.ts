import { fromHex } from '@hemid/protocol';
import {
  createTestNetwork,
  createUser,
  createVaultActor,
  receiptOf,
  spendOtherwise,
  type TestNetwork,
  type User,
  type VaultActor,
} from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);

let network: TestNetwork;
let vault: VaultActor;
let user: User;
let members: [CustodianActor, CustodianActor, CustodianActor];
/** Enough to pay. */
let pair: [CustodianActor, CustodianActor];
beforeEach(async () => {
  network = await createTestNetwork();
  vault = createVaultActor(network.bitcoin);
  user = createUser(network.sequencer.node, 0);
  members = await createCustodians(network);
  pair = [members[0], members[1]];
});
afterEach(async () => {
  for (const member of members) await member.leave();
  await network.close();
});

/** Mines, and builds until L2 has seen it all: a block takes 30 Bitcoin headers at most. */
async function mine(count: number): Promise<void> {
  await network.bitcoin.mineBlocks(count);
  await network.sequencer.build(Math.ceil(count / 30) + 1);
}

async function deposit(sats: bigint): Promise<void> {
  await vault.deposit(fromHex(user.address), sats);
  await mine(6);
}

async function withdraw(sats: bigint): Promise<void> {
  const hash = await requestWithdrawal(user, PAYEE, sats);
  await network.sequencer.build();
  expect(receiptOf(network.sequencer.node, hash)?.succeeded).toBe(true);
  await finalize(network);
}

function setPolicy(change: Partial<CustodianActor['policy']>, ...of: CustodianActor[]): void {
  for (const member of of) {
    Object.assign(member.policy, change);
    member.restart();
  }
}

/** All look, in order; @returns what the last of them says. */
async function look(...who: CustodianActor[]): Promise<string> {
  let said = '';
  for (const member of who) said = await member.tick();
  return said;
}

const payments = async (): Promise<number[]> => (await paymentsTo(network.bitcoin, [PAYEE])).map(({ sats }) => sats).sort((a, b) => a - b);

test('more than the limit of 144 Bitcoin blocks waits until enough of them have passed, and is paid then', async () => {
  setPolicy({ dailyLimitSats: 200_000n }, ...pair);
  await deposit(5_000_000n);
  await withdraw(150_000n);
  expect(await look(...pair)).toMatch(/complete and sent/);
  await mine(6);
  await withdraw(100_000n);
  expect(await look(...pair)).toMatch(
    /^batch 2 .* is held back: it pays 97000 sats, and 147000 were paid since Bitcoin block \d+: the limit is 200000/,
  );
  await mine(144);
  expect(await look(...pair)).toMatch(/^batch 2 .* is complete and sent/);
  await mine(6);
  // More than a day's limit: it waits as many days as it needs of them.
  await withdraw(300_000n);
  await mine(150);
  expect(await look(...pair)).toMatch(/^batch 3 .* is held back: it pays 297000 sats, the limit of 2 days/);
  await mine(138);
  expect(await look(...pair)).toMatch(/^batch 3 .* is complete and sent/);
  await mine(6);
  expect(await payments()).toEqual([97_000, 147_000, 297_000]);
});

test('a large withdrawal waits for some Bitcoin blocks after it is final', async () => {
  setPolicy({ largeSats: 1_000_000n, largeDelayBlocks: 30 }, ...pair);
  await deposit(5_000_000n);
  await withdraw(1_000_000n);
  expect(await look(...pair)).toMatch(/is held back: request 1 of 1000000 sats is large: it waits until Bitcoin block \d+/);
  await mine(20);
  expect(await look(...pair)).toMatch(/is held back/);
  await mine(12);
  expect(await look(...pair)).toMatch(/^batch 1 .* is complete and sent/);
  await mine(6);
  expect(await payments()).toEqual([997_000]);
});

test('a custodian that is more careful than the others signs the same batch later, and holds nobody up', async () => {
  const [careful, second, third] = members;
  setPolicy({ dailyLimitSats: 1_000n }, careful);
  await deposit(1_000_000n);
  await withdraw(100_000n);
  expect(await look(careful)).toMatch(/is held back/);
  expect(await look(second, third)).toMatch(/is complete and sent/);
  await mine(6);
  expect(await look(careful)).toBe('nobody waits to be paid');
  expect(await payments()).toEqual([97_000]);
});

test('a paused custodian signs and sends nothing, and goes on when it is resumed', async () => {
  const [first, second, third] = members;
  await deposit(1_000_000n);
  await withdraw(100_000n);
  first.pausedFor = 'we look into request 1';
  third.pausedFor = 'we too';
  expect(await look(first)).toBe('paused: we look into request 1');
  expect(await look(second, third, second)).toMatch(/waits for other custodians/);
  expect(await network.bitcoin.rpc('getrawmempool', [])).toEqual([]);
  first.pausedFor = undefined;
  expect(await look(first)).toMatch(/is complete and sent/);
  await mine(6);
  expect(await payments()).toEqual([97_000]);
});

test('while the vaults hold less than all that is owed, not even those are paid for whom it would be enough', async () => {
  const { bitcoin } = network;
  await deposit(1_000_000n);
  const { tx } = await vault.deposit(fromHex(user.address), 400_000n);
  await mine(8);
  await requestWithdrawal(user, PAYEE, 500_000n);
  await network.sequencer.build();
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 7])]);
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await mine(11);
  await finalize(network);
  // 1,000,000 are there; credited are 1,396,000, requested of them 500,000.
  expect(await look(...pair)).toBe('the vaults lack 396000 sats');
  await bitcoin.wallet.pay({ outputs: [{ to: vault.script, valueSats: 396_000n }] });
  await mine(6);
  expect(await look(...pair)).toMatch(/is complete and sent/);
  await mine(6);
  expect(await payments()).toEqual([497_000]);
});
