import { createRpcDeps } from '@hemid/node';
import { concat, fromHex, TUNNEL_ADDRESS, toHex } from '@hemid/protocol';
import { createLimits, createRpcContext, invoke } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import { batchMark, createTestNetwork, createUser, createVaultActor, type TestNetwork, type VaultActor, type WalletOutput } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requestWithdrawal } from '../custodian-scene.ts';
import { openDevelopmentScene } from '../development-scene.ts';

const SOMEBODY = fromHex('00000000000000000000000000000000000000aa');
const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);
const NAME: WalletOutput = { to: concat(Uint8Array.of(0x6a, 20), SOMEBODY), valueSats: 0n };

let network: TestNetwork;
let vault: VaultActor;
let context: ReturnType<typeof createRpcContext>;
beforeEach(async () => {
  network = await createTestNetwork();
  vault = createVaultActor(network.bitcoin);
  const deps = createRpcDeps(network.sequencer.node, { clock: network.clock, log: silentLogger });
  context = createRpcContext(deps, createLimits({ rpcCheckAnswers: true }));
});
afterEach(async () => {
  context.close();
  await network.close();
});

// biome-ignore lint/suspicious/noExplicitAny: JSON as a client gets it; each assertion says what it must be.
const list = (...params: number[]): Promise<any> => invoke('hemi_getRecoveryList', params, context);
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const toVault = (valueSats: bigint, script = vault.script): WalletOutput => ({ to: script, valueSats });
const filler = (): WalletOutput => ({ to: network.bitcoin.wallet.scripts.p2wpkh, valueSats: 1_000n });
const pay = (...outputs: WalletOutput[]) => network.bitcoin.wallet.pay({ outputs });
async function confirm(): Promise<void> {
  await network.bitcoin.mineBlocks(6);
  await network.sequencer.build();
}

test('payments to the vault that credit nobody are listed with all that it takes to return them; deposits are not', async () => {
  const { wallet, height, mineBlocks } = network.bitcoin;
  // Of a coin that is younger than the hVM genesis: of older ones the index says nothing.
  await pay({ to: wallet.scripts.p2pkh, valueSats: 100_000n });
  await mineBlocks(1);
  const { txid: nameless } = await wallet.pay({ outputs: [toVault(60_000n), toVault(700n)], from: 'p2pkh' });
  await confirm();
  const { txid: small } = await pay(NAME, toVault(49_999n));
  const { tx: good } = await vault.deposit(SOMEBODY, 100_000n);
  const { txid: part } = await pay(toVault(80_000n), NAME, ...Array.from({ length: 6 }, filler), toVault(5_000n));
  const place = (await height()) + 1;
  await pay(filler());
  await confirm();

  const { payments, next } = await list();
  expect(next).toBeNull();
  expect(payments.map(({ txid }: { txid: string }) => txid).sort()).toEqual([nameless, small, part].sort());
  expect(payments[2].txid).toBe(nameless);
  const of = (wanted: string) => payments.find(({ txid }: { txid: string }) => txid === wanted);
  const output = { script: toHex(vault.script), address: vault.address, spentAtBitcoinHeight: null };
  const sender = { script: toHex(wallet.scripts.p2pkh), address: wallet.addresses.p2pkh };
  expect(of(nameless)).toMatchObject({
    status: 'refused',
    explanation: 'no deposit: it names no recipient in its first 8 outputs',
    sats: hex(60_700),
    outputs: [
      { ...output, vout: 0, sats: hex(60_000) },
      { ...output, vout: 1, sats: hex(700) },
    ],
    sender,
    recipient: null,
    bitcoin: { confirmations: 12 },
  });
  expect(of(small)).toMatchObject({
    status: 'refused',
    explanation: 'no deposit: it pays the vault 49999 sats, and 50000 is the minimum',
    outputs: [{ ...output, vout: 1, sats: hex(49_999) }],
    sender: null,
    recipient: toHex(SOMEBODY),
    bitcoin: { height: place, confirmations: 6 },
  });
  expect(of(part)).toMatchObject({
    status: 'part',
    explanation: expect.stringMatching(/^credited in L2 block \d+, without what it pays the vault behind its first 8 outputs$/),
    sats: hex(5_000),
    outputs: [{ ...output, vout: 8, sats: hex(5_000) }],
  });
  expect(of(good.getId())).toBeUndefined();
});

test('what a batch has spent stays on the list, and the batch is not on it', async () => {
  const user = createUser(network.sequencer.node, 0);
  const { coin } = await vault.deposit(fromHex(user.address), 1_000_000n);
  const { tx: stray } = await pay(toVault(60_000n));
  await confirm();
  await requestWithdrawal(user, PAYEE, 100_000n);
  await network.sequencer.build();
  const outputs = [{ to: PAYEE, valueSats: 97_000n }, toVault(960_000n), batchMark(1, 1)];
  await vault.spend({ inputs: [coin, vault.coinOf(stray, 0)], outputs });
  const spentAt = (await network.bitcoin.height()) + 1;
  await confirm();
  const { payments } = await list();
  expect(payments).toMatchObject([{ txid: stray.getId(), outputs: [{ vout: 0, spentAtBitcoinHeight: spentAt }] }]);
});

test('what was paid to a vault before it came into force is listed from then on, until a reorg lets the queue walk over it again', async () => {
  const { bitcoin, sequencer } = network;
  const next = createVaultActor(bitcoin, 'next custodian');
  const { tx } = await next.deposit(SOMEBODY, 100_000n);
  await bitcoin.mineBlocks(8);
  await sequencer.build(2);
  expect((await list()).payments).toEqual([]);
  network.upgrade({ vault: next.address });
  await sequencer.build(2);
  expect((await list()).payments).toMatchObject([
    { txid: tx.getId(), status: 'refused', explanation: expect.stringContaining('after the queue had passed it'), recipient: toHex(SOMEBODY) },
  ]);
  await bitcoin.reorg(8);
  await sequencer.build();
  expect((await list()).payments).toEqual([]);
  expect(await invoke('hemi_getDeposit', [tx.getId()], context)).toMatchObject({ status: 'credited' });
});

test('a long list comes in pages, each from where the one before ended', async () => {
  const all: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    all.unshift((await pay(toVault(1_000n + BigInt(n)))).txid);
    await network.bitcoin.mineBlocks(1);
  }
  await confirm();
  const first = await list();
  const second = await list(first.next);
  expect(second.next).toBeNull();
  expect([...first.payments, ...second.payments].map(({ txid }: { txid: string }) => txid)).toEqual(all);
  expect(first.payments.length).toBe(16);
});

test('a deposit whose credit fails on L2 is listed, for its sats stay in the vault', async () => {
  const { bitcoin, node, hardhat, call, stop } = await openDevelopmentScene();
  const custodian = createVaultActor(bitcoin);
  // On this development network Tunnel does nothing but fail.
  await hardhat.setCode({ address: toHex(TUNNEL_ADDRESS), bytecode: '0xfe' });
  const txid = (await custodian.deposit(SOMEBODY, 100_000n)).tx.getId();
  await bitcoin.mineBlocks(6);
  await node.bitcoinSync.pull();
  await hardhat.mine({ blocks: 1 });
  expect((await call('hemi_getDeposit', txid)).result).toMatchObject({ status: 'failed' });
  expect((await call('hemi_getRecoveryList')).result).toMatchObject({
    payments: [
      {
        txid,
        status: 'failed',
        explanation: expect.stringMatching(/^its credit failed in L2 block \d+: the sats stay in the vault/),
        recipient: toHex(SOMEBODY),
      },
    ],
  });
  await stop();
});
