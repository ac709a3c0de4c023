import { createRpcDeps } from '@hemid/node';
import { encodeRecipient, fromHex, scriptToAddress, TUNNEL_ADDRESS, TUNNEL_TYPE, toHex, WEI_PER_SAT, WRAPPED_HBTC_ADDRESS } from '@hemid/protocol';
import { createLimits, createRpcContext, invoke } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import {
  type Bitcoind,
  buildTransaction,
  createRealBitcoin,
  createTestNetwork,
  createUser,
  createVaultActor,
  signTransaction,
  spendOtherwise,
  startBitcoind,
  type TestNetwork,
  type VaultActor,
  type WalletOutput,
} from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let bitcoind: Bitcoind;
let network: TestNetwork;
let vault: VaultActor;
let context: ReturnType<typeof createRpcContext>;
beforeAll(async () => {
  bitcoind = await startBitcoind();
  network = await createTestNetwork({ bitcoin: await createRealBitcoin(bitcoind.rpc) });
  vault = createVaultActor(network.bitcoin);
  const { clock, bitcoin, sequencer } = network;
  context = createRpcContext(
    createRpcDeps(sequencer.node, { clock, log: silentLogger, bitcoin: bitcoin.rpc }),
    createLimits({ rpcCheckAnswers: true }),
  );
});
afterAll(async () => {
  context.close();
  await network.close();
  await bitcoind.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: JSON as a client gets it; each assertion says what it must be.
const report = (txid: string): Promise<any> => invoke('hemi_getDeposit', [txid], context);
let people = 0;
/** Somebody whom nobody has paid yet. */
function newcomer(): Uint8Array {
  people += 1;
  return new Uint8Array(20).fill(0xd0 + people);
}
const toVault = (valueSats: bigint, script = vault.script): WalletOutput => ({ to: script, valueSats });
const naming = (address: Uint8Array): WalletOutput => ({ to: encodeRecipient({ address, payload: new Uint8Array() }), valueSats: 0n });
const filler = (): WalletOutput => ({ to: network.bitcoin.wallet.scripts.p2wpkh, valueSats: 1_000n });
const pay = async (...outputs: WalletOutput[]) => network.bitcoin.wallet.pay({ outputs });

/** Mines the six blocks; @returns how many deposits the L2 block that sees them has. */
async function confirm(): Promise<number> {
  await network.bitcoin.mineBlocks(6);
  const { block } = await network.sequencer.build();
  return block.transactions.filter((raw) => raw[0] === TUNNEL_TYPE).length;
}

async function satsOf(address: Uint8Array): Promise<bigint> {
  const { chain } = network.sequencer.node;
  return ((await chain.stateAt(chain.head('latest')).account(address))?.balance ?? 0n) / WEI_PER_SAT;
}

test('several vault outputs in one transaction are one deposit of their sum, less the fee once', async () => {
  const someone = newcomer();
  // The last one stands behind the eighth output: it stays in the vault and is not credited.
  const { txid } = await pay(
    filler(),
    toVault(30_000n),
    naming(someone),
    toVault(30_000n),
    filler(),
    filler(),
    filler(),
    toVault(1_000n),
    toVault(500_000n),
  );
  expect(await confirm()).toBe(1);
  expect(await satsOf(someone)).toBe(59_000n);
  expect(await report(txid)).toMatchObject({ status: 'credited', deposit: { sats: '0xe678', vout: 1, recipient: toHex(someone) } });
});

test('of two recipients the first is credited; an OP_RETURN that names nobody does not count', async () => {
  const [first, second] = [newcomer(), newcomer()];
  const { wallet, mineBlocks } = network.bitcoin;
  const inputs = (await wallet.coins()).slice(0, 1);
  const outputs = [toVault(60_000n), { to: fromHex('6a03aabbcc'), valueSats: 0n }, naming(first), naming(second)];
  const tx = signTransaction(buildTransaction({ inputs, outputs }), inputs, [wallet.secretKey]);
  // Nodes do not relay two OP_RETURN outputs everywhere; a miner may take them.
  await network.bitcoin.rpc('generateblock', [wallet.addresses.p2wpkh, [tx.toHex()]]);
  await mineBlocks(5);
  await network.sequencer.build();
  const txid = tx.getId();
  expect([await satsOf(first), await satsOf(second)]).toEqual([58_000n, 0n]);
  expect(await report(txid)).toMatchObject({ status: 'credited', deposit: { recipient: toHex(first) } });
});

test('a recipient that reverts, or that must not be called, is not paid and may claim the coins', async () => {
  const user = createUser(network.sequencer.node, 0);
  // Its code is INVALID alone.
  const refuser = await user.deploy({ abi: [], bytecode: '0x60fe60005360016000f3' });
  await network.sequencer.build();
  const before = await satsOf(TUNNEL_ADDRESS);
  const { txid } = await pay(toVault(60_000n), naming(fromHex(refuser)));
  const { txid: other } = await pay(toVault(70_000n), naming(WRAPPED_HBTC_ADDRESS));
  expect(await confirm()).toBe(2);
  for (const one of [txid, other]) {
    expect(await report(one)).toMatchObject({
      status: 'claimable',
      explanation: expect.stringMatching(/credited in L2 block \d+, but .* may claim/),
    });
  }
  expect(await satsOf(fromHex(refuser))).toBe(0n);
  expect((await satsOf(TUNNEL_ADDRESS)) - before).toBe(126_000n);
});

test('a payment is seen in the mempool, and what will be no deposit is told before it is mined', async () => {
  const someone = newcomer();
  const { txid } = await pay(toVault(60_000n), naming(someone));
  expect(await report(txid)).toMatchObject({
    status: 'seen',
    explanation: 'in the mempool: credited once 6 Bitcoin blocks confirm it',
    deposit: { sats: '0xe290', recipient: toHex(someone) },
    bitcoin: null,
    confirmationsLeft: null,
  });
  const { txid: nameless } = await pay(toVault(60_000n));
  expect(await report(nameless)).toMatchObject({
    status: 'refused',
    explanation: 'not mined yet, and it will be no deposit: it names no recipient in its first 8 outputs',
  });
  expect(await report('ab'.repeat(32))).toMatchObject({ status: 'unknown' });
  expect(await confirm()).toBe(1);
  expect(await report(txid)).toMatchObject({ status: 'credited' });
});

test('a reorg before the confirmations moves a deposit to another block, where it is counted anew', async () => {
  const { bitcoin, sequencer } = network;
  const someone = newcomer();
  const { txid } = await pay(toVault(60_000n), naming(someone));
  await bitcoin.mineBlocks(4);
  await sequencer.build();
  const height = await bitcoin.height();
  expect(await report(txid)).toMatchObject({ status: 'confirming', bitcoin: { height: height - 3 }, confirmationsLeft: 2 });
  // The new branch is one block longer, and has the payment in its last block.
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [height - 3])]);
  for (let i = 0; i < 4; i += 1) await bitcoin.rpc('generateblock', [bitcoin.wallet.addresses.p2tr, []]);
  await bitcoin.mineBlocks(1);
  await sequencer.build();
  expect(await report(txid)).toMatchObject({ status: 'confirming', bitcoin: { height: height + 1, confirmations: 1 }, confirmationsLeft: 5 });
  await bitcoin.mineBlocks(4);
  await sequencer.build();
  expect(await satsOf(someone)).toBe(0n);
  await bitcoin.mineBlocks(1);
  await sequencer.build();
  expect(await satsOf(someone)).toBe(58_000n);
});

test('a deposit that is double-spent before the confirmations is credited to nobody', async () => {
  const { bitcoin, sequencer } = network;
  const someone = newcomer();
  const { tx, txid } = await pay(toVault(60_000n), naming(someone));
  await bitcoin.mineBlocks(5);
  await sequencer.build();
  expect(await report(txid)).toMatchObject({ status: 'confirming', confirmationsLeft: 1 });
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 4])]);
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await bitcoin.mineBlocks(12);
  await sequencer.build(2);
  expect(await report(txid)).toMatchObject({ status: 'unknown', bitcoin: null });
  expect(await satsOf(someone)).toBe(0n);
});

test('a deposit to a former vault is credited, and a verifier has come to the same in every one of these cases', async () => {
  const { sequencer } = network;
  const next = createVaultActor(network.bitcoin, 'next custodian');
  network.upgrade({ vault: next.address });
  await sequencer.build();
  const [old, fresh, both] = [newcomer(), newcomer(), newcomer()];
  const txids = [
    (await pay(toVault(60_000n), naming(old))).txid,
    (await pay(toVault(60_000n, next.script), naming(fresh))).txid,
    // One deposit over two vaults.
    (await pay(toVault(30_000n), toVault(30_000n, next.script), naming(both))).txid,
  ];
  expect(await confirm()).toBe(3);
  for (const txid of txids) expect(await report(txid)).toMatchObject({ status: 'credited', deposit: { sats: '0xe290' } });
  for (const someone of [old, fresh, both]) expect(await satsOf(someone)).toBe(58_000n);
  expect((await invoke('hemi_getReserves', [], context)) as object).toMatchObject({
    vaults: [{ address: next.address }, { address: scriptToAddress(vault.script, 'regtest') }],
    deficitSats: '0x0',
  });
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(sequencer.node.chain.head('latest').hash));
});
