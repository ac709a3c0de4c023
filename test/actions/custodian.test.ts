import { fromDisplay, fromHex, toDigits } from '@hemid/protocol';
import {
  type BitcoinActor,
  type Bitcoind,
  createRealBitcoin,
  createTestNetwork,
  createUser,
  createVaultActor,
  startBitcoind,
  type TestNetwork,
  type User,
  type VaultActor,
} from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CustodianActor, createCustodians, finalize, paymentsTo, requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);

let bitcoind: Bitcoind;
let bitcoin: BitcoinActor;
let network: TestNetwork;
let vault: VaultActor;
let user: User;
let members: [CustodianActor, CustodianActor, CustodianActor];

beforeAll(async () => {
  // Its mempool does not outlive it, as if another node had to be told anew.
  bitcoind = await startBitcoind({ args: ['-txindex=1', '-persistmempool=0'] });
  bitcoin = await createRealBitcoin(bitcoind.rpc);
  network = await createTestNetwork({ bitcoin });
  vault = createVaultActor(bitcoin);
  user = createUser(network.sequencer.node, 0);
  members = await createCustodians(network);
});
afterAll(async () => {
  for (const member of members) await member.leave();
  await network.close();
  await bitcoind.stop();
});

async function deposit(sats: bigint): Promise<void> {
  await vault.deposit(fromHex(user.address), sats);
  await bitcoin.mineBlocks(6);
  await network.sequencer.build();
}

async function withdraw(...amounts: bigint[]): Promise<void> {
  for (const sats of amounts) await requestWithdrawal(user, PAYEE, sats);
  await network.sequencer.build();
}

async function settle(): Promise<void> {
  await bitcoin.mineBlocks(6);
  await network.sequencer.build();
}

/** What Bitcoin has paid to the payee, each time it did. */
const payments = async (): Promise<number[]> => (await paymentsTo(bitcoin, [PAYEE])).map(({ sats }) => sats).sort((a, b) => a - b);

const txidIn = (said: string): string => /\(([0-9a-f]{64})\)/.exec(said)?.[1] ?? said;

test('two of three custodians, each beside its own verifier, pay what was requested once it is final, and it is settled', async () => {
  const [first, second, third] = members;
  await deposit(1_000_000n);
  expect(await first.tick()).toBe('nobody waits to be paid');
  await withdraw(100_000n, 60_000n);
  expect(await first.tick()).toMatch(/is not final/);
  await finalize(network);

  // One alone signs and can do nothing, however often it starts again.
  const alone = await first.tick();
  expect(alone).toMatch(/^batch 1 .* waits for other custodians$/);
  first.restart();
  expect(await first.tick()).toBe(alone);
  expect(await bitcoin.rpc('getrawmempool', [])).toEqual([]);

  const sent = await second.tick();
  expect(sent).toBe(`batch 1 (${txidIn(alone)}) is complete and sent`);
  expect(await bitcoin.rpc('getrawmempool', [])).toEqual([txidIn(alone)]);
  // The others come to the same, before it is mined and after.
  for (const member of [third, first, second]) {
    member.restart();
    expect(txidIn(await member.tick())).toBe(txidIn(alone));
  }
  await settle();
  expect(await payments()).toEqual([57_000, 97_000]);
  for (const member of members) expect(await member.tick()).toBe('nobody waits to be paid');
  const { chain } = network.sequencer.node;
  expect(chain.tunnelTransaction(fromDisplay(txidIn(alone)))).toBeDefined();
});

test('with one custodian gone the other two go on, from the change of the batch before', async () => {
  const [first, second, third] = members;
  await third.leave();
  await deposit(500_000n);
  // More than the change of the batch before holds.
  await withdraw(900_000n);
  await finalize(network);
  const alone = await first.tick();
  expect(alone).toMatch(/^batch 3 .* waits for other custodians$/);
  const sent = await second.tick();
  expect(sent).toMatch(/^batch 3 .* is complete and sent$/);
  const raw = (await bitcoin.rpc('getrawtransaction', [txidIn(sent)])) as string;
  const transaction = Transaction.fromHex(raw);
  expect(transaction.ins.map(({ index }) => index)).toEqual([2, 0]);
  expect(transaction.outs.map(({ value }) => value)).toEqual([897_000n, 840_000n + 500_000n - 900_000n, 240n, 0n]);
  await settle();
  expect(await payments()).toEqual([57_000, 97_000, 897_000]);
  expect(await first.tick()).toBe('nobody waits to be paid');
});

test('a reorg that takes a settled batch out of Bitcoin: custodians send it again, it is mined again, nobody is paid twice', async () => {
  // The one that completed it.
  const [, second] = members;
  const before = await payments();
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 5])]);
  await bitcoind.restart();
  await bitcoin.mine({ count: 9, address: bitcoin.wallet.addresses.p2tr });
  await network.sequencer.build(2);
  expect(await payments()).toEqual(before.slice(0, -1));
  await second.tick();
  await settle();
  expect(await payments()).toEqual(before);
  expect(await second.tick()).toBe('nobody waits to be paid');
});

test('custodians stop at a breach, and while the vault lacks sats', async () => {
  const [first] = members;
  await withdraw(50_000n);
  await finalize(network);
  const { unspents } = (await bitcoin.rpc('scantxoutset', ['start', [`raw(${toDigits(vault.script)})`]])) as {
    unspents: { txid: string; vout: number }[];
  };
  const [coin] = unspents as [{ txid: string; vout: number }];
  const source = Transaction.fromHex((await bitcoin.rpc('getrawtransaction', [coin.txid])) as string);
  const { txid } = await vault.spend({ inputs: [vault.coinOf(source, coin.vout)], outputs: [{ to: PAYEE, valueSats: 400_000n }] });
  await settle();
  expect(await first.tick()).toBe('a breach of the vault is not cleared');
  network.upgrade({ clearBreach: fromDisplay(txid) });
  await network.sequencer.build();
  expect(await first.tick()).toMatch(/^the vaults lack \d+ sats$/);
});
