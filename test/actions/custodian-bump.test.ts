import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { fromHex } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { type Bitcoind, createRealBitcoin, createTestNetwork, createUser, createVaultActor, startBitcoind, type TestNetwork } from '@hemid/testkit';
import { createBumper } from '@hemid/tunnel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);

let bitcoind: Bitcoind;
let network: TestNetwork;
let members: [CustodianActor, CustodianActor, CustodianActor];
/** Sats per vbyte that blocks want: a regtest node has nothing to estimate from. */
let rate = 0;

beforeAll(async () => {
  bitcoind = await startBitcoind();
  network = await createTestNetwork({ bitcoin: await createRealBitcoin(bitcoind.rpc) });
  members = await createCustodians(network);
});
afterAll(async () => {
  for (const member of members) await member.leave();
  await network.close();
  await bitcoind.stop();
});

/** A wallet of the node with one coin. */
async function openWallet(name: string): Promise<BitcoinRpc> {
  await bitcoind.rpc('createwallet', [name]);
  const { url, user, password } = bitcoind;
  const wallet = createBitcoindRpc({ url: `${url}/wallet/${name}`, user, password: new Secret(password), timeoutMs: 30_000 });
  const address = (await wallet('getnewaddress', [])) as string;
  await network.bitcoin.wallet.pay({ outputs: Array.from({ length: 2 }, () => ({ to: address, valueSats: 1_000_000n })) });
  return wallet;
}

function equip(member: CustodianActor, wallet: BitcoinRpc, maxSats: bigint): void {
  const bitcoin: BitcoinRpc = async (method, params, signal) =>
    method === 'estimatesmartfee' ? { feerate: rate / 1e5 } : bitcoind.rpc(method, params, signal);
  member.bumper = createBumper({ bitcoin, wallet }, { afterBlocks: 3, maxSats });
  member.restart();
}

interface Entry {
  ancestorsize: number;
  fees: { ancestor: number };
}

/** What is in the mempool, with the rate that it pays together with its parents. */
async function pool(): Promise<Map<string, number>> {
  const entries = (await bitcoind.rpc('getrawmempool', [true])) as Record<string, Entry>;
  return new Map(Object.entries(entries).map(([txid, { ancestorsize, fees }]) => [txid, (fees.ancestor * 1e8) / ancestorsize]));
}

/** Blocks that others have filled. */
async function mineEmpty(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await bitcoind.rpc('generateblock', [network.bitcoin.wallet.addresses.p2wpkh, []]);
}

test('a batch that waits too long is bumped by one custodian’s own coins, again when fees rise, and settles as it was signed', async () => {
  const { bitcoin, sequencer } = network;
  const [first, second] = members;
  equip(first, await openWallet('first'), 50_000n);
  equip(second, await openWallet('second'), 50_000n);
  const user = createUser(sequencer.node, 0);
  await createVaultActor(bitcoin).deposit(fromHex(user.address), 1_000_000n);
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  await requestWithdrawal(user, PAYEE, 100_000n);
  await sequencer.build();
  await finalize(network);

  rate = 40;
  await first.tick();
  const [, txid = ''] = /\((\w+)\) is complete and sent/.exec(await second.tick()) ?? [];
  await second.tick();
  expect([...(await pool()).keys()]).toEqual([txid]);
  await mineEmpty(3);
  await second.tick();
  const bumped = await pool();
  expect(bumped.size).toBe(2);
  expect(Math.max(...bumped.values())).toBeGreaterThanOrEqual(40);
  // The other one sees that it is done.
  await first.tick();
  expect(await pool()).toEqual(bumped);

  rate = 80;
  await first.tick();
  const again = await pool();
  expect(again.size).toBe(2);
  expect(Math.max(...again.values())).toBeGreaterThanOrEqual(80);
  expect([...again.keys()].filter((one) => bumped.has(one))).toEqual([txid]);

  // Nobody pays more than the operator has allowed.
  rate = 2_000;
  for (const member of [first, second]) await member.tick();
  expect(await pool()).toEqual(again);

  await bitcoin.mineBlocks(6);
  await sequencer.build();
  expect(await first.tick()).toBe('nobody waits to be paid');
  expect((await paymentsTo(bitcoin, [PAYEE])).map(({ sats }) => sats)).toEqual([97_000]);
});
