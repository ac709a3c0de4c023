import { devKey } from '@hemid/node';
import { fromHex } from '@hemid/protocol';
import { createTestNetwork, createUser, createVaultActor, type TestNetwork } from '@hemid/testkit';
import { type Batch, type DecidedBatch, planBatch, signBatch, sortedMulti, toPsbt, toUnsigned } from '@hemid/tunnel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);
const THIEF = fromHex(`0x0014${'ee'.repeat(20)}`);

let network: TestNetwork;
let members: [CustodianActor, CustodianActor, CustodianActor];
/** What honest custodians pay next. */
let batch: Batch;
beforeAll(async () => {
  network = await createTestNetwork();
  const user = createUser(network.sequencer.node, 0);
  members = await createCustodians(network);
  await createVaultActor(network.bitcoin).deposit(fromHex(user.address), 1_000_000n);
  await network.bitcoin.mineBlocks(6);
  await network.sequencer.build();
  await requestWithdrawal(user, PAYEE, 100_000n);
  await network.sequencer.build();
  await finalize(network);
  batch = ((await planBatch(network.sequencer.node.chain)) as DecidedBatch).batch;
});
afterAll(async () => {
  for (const member of members) await member.leave();
  await network.close();
});

const keys = [1, 2, 3].map((i) => devKey(`custodian ${i}`));
const vault = sortedMulti(
  2,
  keys.map(({ publicKey }) => publicKey),
);
const [, own, hostile] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];

/** A PSBT of a batch that is changed, with the hostile custodian's good signature of that. */
function other(change: Partial<Batch>): string {
  const signing = { batch: { ...batch, ...change }, vault };
  return toPsbt(signing, [signBatch(signing, hostile.secret)]);
}

const tricks: [trick: string, psbt: () => string, reason: RegExp][] = [
  ['sends garbage', () => 'what is this?', /not a PSBT/],
  ['signs a payment to itself', () => other({ requests: batch.requests.map((one) => ({ ...one, script: THIEF })) }), /of another transaction/],
  ['signs a second version of the batch', () => other({ coins: batch.coins.map((coin) => ({ ...coin, vout: 9 })) }), /of another transaction/],
  [
    'signs in the name of another custodian',
    () => {
      const { signatures } = signBatch({ batch, vault }, hostile.secret);
      return toPsbt({ batch, vault }, [{ publicKey: own.publicKey, signatures }]);
    },
    /that is not good/,
  ],
];

test.each(tricks)('a custodian who %s is named in the log, and moves nothing', async (_trick, psbt, reason) => {
  const [first, , third] = members;
  await third.exchange.publish(toUnsigned(batch).getId(), psbt());
  first.errors.length = 0;
  expect(await first.tick()).toMatch(/waits for other custodians/);
  expect(first.errors).toEqual([expect.stringContaining('custodian sent what is no signature of the batch')]);
  expect(first.errors[0]).toContain(third.url);
  expect(first.errors[0]).toMatch(reason);
  expect(await network.bitcoin.rpc('getrawmempool', [])).toEqual([]);
});

test('the two honest ones pay once, while the third goes on with it', async () => {
  const [first, second, third] = members;
  expect(await second.tick()).toMatch(/is complete and sent/);
  expect(second.errors[0]).toContain(third.url);
  await first.tick();
  await network.bitcoin.mineBlocks(6);
  await network.sequencer.build();
  expect(await paymentsTo(network.bitcoin, [PAYEE, THIEF])).toEqual([{ script: Buffer.from(PAYEE).toString('hex'), sats: 97_000 }]);
  expect(await first.tick()).toBe('nobody waits to be paid');
});
