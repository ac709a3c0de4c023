import { devKey } from '@hemid/node';
import { concat, descriptorChecksum, fromHex, readVaultDescriptor, toDigits, toHex, vaultScript, WEI_PER_SAT } from '@hemid/protocol';
import { type Bitcoind, createRealBitcoin, createTestNetwork, createUser, startBitcoind, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);
const keys = [1, 2, 3].map((i) => toDigits(devKey(`custodian ${i}`).publicKey));
const described = (text: string): string => `${text}#${descriptorChecksum(text)}`;
/** No one knows the secret of the first key (BIP-341). */
const TAPROOT = described(`tr(50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0,sortedmulti_a(2,${keys.join(',')}))`);
const SINGLE = described(`wpkh(${keys[0]})`);

let bitcoind: Bitcoind;
let network: TestNetwork;
let members: CustodianActor[] = [];
beforeAll(async () => {
  bitcoind = await startBitcoind();
  network = await createTestNetwork({ bitcoin: await createRealBitcoin(bitcoind.rpc) });
});
afterAll(async () => {
  for (const member of members) await member.leave();
  await network.close();
  await bitcoind.stop();
});

/** Pays a vault for somebody; @returns what that somebody has been credited, six blocks later. */
async function credit(vault: string, recipient: Uint8Array): Promise<bigint> {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  const balance = async () => (await chain.stateAt(chain.head('latest')).account(recipient))?.balance ?? 0n;
  const before = await balance();
  const outputs = [
    { to: vaultScript(vault, 'regtest'), valueSats: 1_000_000n },
    { to: concat(Uint8Array.of(0x6a, 20), recipient), valueSats: 0n },
  ];
  await bitcoin.wallet.pay({ outputs });
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  return ((await balance()) - before) / WEI_PER_SAT;
}

test('a chain moves its vault to taproot by a descriptor: deposits are credited, and two custodians of three pay from it', async () => {
  const { bitcoin, sequencer } = network;
  const user = createUser(sequencer.node, 0);
  const account = fromHex(user.address);
  expect(await credit(TAPROOT, account)).toBe(0n);
  network.upgrade({ vault: TAPROOT });
  await sequencer.build();
  expect(await credit(TAPROOT, account)).toBe(998_000n);

  members = await createCustodians(network, readVaultDescriptor(TAPROOT, 'regtest'));
  await requestWithdrawal(user, PAYEE, 100_000n);
  await sequencer.build();
  await finalize(network);
  const [first, second] = members as [CustodianActor, CustodianActor];
  expect(await first.tick()).toMatch(/^batch 1 .* waits for other custodians$/);
  expect(await second.tick()).toMatch(/^batch 1 .* is complete and sent$/);
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  expect((await paymentsTo(bitcoin, [PAYEE])).map(({ sats }) => sats)).toEqual([97_000]);
  expect(await first.tick()).toBe('nobody waits to be paid');
  // The verifier of a custodian has come to the same by itself.
  expect(toHex(first.verifier.node.chain.head('latest').hash)).toBe(toHex(sequencer.node.chain.head('latest').hash));
});

test('after a rotation to wpkh deposits to the new vault and to the old ones are credited', async () => {
  const former = network.spec.genesis.tunnel.vault;
  network.upgrade({ vault: SINGLE });
  await network.sequencer.build();
  const recipient = new Uint8Array(20).fill(0xaa);
  for (const vault of [SINGLE, TAPROOT, former]) expect(await credit(vault, recipient)).toBe(998_000n);
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(network.sequencer.node.chain.head('latest').hash));
});
