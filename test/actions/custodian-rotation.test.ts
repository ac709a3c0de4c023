import { fromHex, toDigits } from '@hemid/protocol';
import { createTestNetwork, createUser, createVaultActor, type TestNetwork } from '@hemid/testkit';
import { reportReserves } from '@hemid/tunnel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);

let network: TestNetwork;
let members: [CustodianActor, CustodianActor, CustodianActor];
beforeAll(async () => {
  network = await createTestNetwork();
  members = await createCustodians(network);
});
afterAll(async () => {
  for (const member of members) await member.leave();
  await network.close();
});

async function settle(): Promise<void> {
  await network.bitcoin.mineBlocks(6);
  await network.sequencer.build();
}

/** Sats on the vaults, the one in force first. */
const onVaults = async () => (await reportReserves(network.sequencer.node.chain)).vaults.map(({ sats }) => Number(sats));

test('after a rotation the next batch is paid by the former vault and moves its coins to the new one, which pays from then on', async () => {
  const { bitcoin, sequencer } = network;
  const [first, second, third] = members;
  const user = createUser(sequencer.node, 0);
  const [old, next] = [createVaultActor(bitcoin), createVaultActor(bitcoin, 'next custodian')];
  for (const sats of [1_000_000n, 300_000n, 60_000n]) await old.deposit(fromHex(user.address), sats);
  await settle();
  await requestWithdrawal(user, PAYEE, 100_000n);
  await sequencer.build();
  await finalize(network);
  await first.tick();
  expect(await second.tick()).toMatch(/^batch 1 .* is complete and sent/);
  await settle();

  network.upgrade({ vault: next.address });
  await sequencer.build();
  await next.deposit(fromHex(user.address), 500_000n);
  await settle();
  await requestWithdrawal(user, PAYEE, 200_000n);
  await requestWithdrawal(user, PAYEE, 40_000n);
  await sequencer.build();
  await finalize(network);
  const [inForce, former] = await onVaults();
  expect(inForce).toBe(500_000);
  expect(await third.tick()).toMatch(/^batch 2 .* is signed/);
  // The others hold keys of both by now.
  for (const member of [first, second]) member.rotate();
  expect(await first.tick()).toMatch(/^batch 2 .* is complete and sent/);
  await settle();
  expect(await onVaults()).toEqual([500_000 + (former as number) - 240_000, 0]);

  await requestWithdrawal(user, PAYEE, 50_000n);
  await sequencer.build();
  await finalize(network);
  expect(await third.tick()).toBe('this custodian has no key of the vault that pays');
  await first.tick();
  expect(await second.tick()).toMatch(/^batch 4 .* is complete and sent/);
  await settle();
  expect(await first.tick()).toBe('nobody waits to be paid');
  expect((await paymentsTo(bitcoin, [PAYEE])).map(({ sats }) => sats).sort((a, b) => a - b)).toEqual([37_000, 47_000, 97_000, 197_000]);
  expect(await paymentsTo(bitcoin, [old.script])).toEqual([]);
  expect((await paymentsTo(bitcoin, [next.script])).every(({ script }) => script === toDigits(next.script))).toBe(true);
});
