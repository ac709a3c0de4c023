import { tunnel } from '@hemid/contracts';
import { createRpcDeps } from '@hemid/node';
import { concat, fromHex, scriptToAddress, TUNNEL_ADDRESS, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { createLimits, createRpcContext, invoke } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import {
  batchMark,
  createTestNetwork,
  createUser,
  createVaultActor,
  publishKeystone,
  spendOtherwise,
  type TestNetwork,
  type VaultActor,
} from '@hemid/testkit';
import { encodeFunctionData } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';

const RECIPIENT = fromHex('00000000000000000000000000000000000000aa');
const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);

let network: TestNetwork;
let vault: VaultActor;
let context: ReturnType<typeof createRpcContext>;
beforeEach(async () => {
  network = await createTestNetwork();
  vault = createVaultActor(network.bitcoin);
  context = createRpcContext(
    createRpcDeps(network.sequencer.node, { clock: network.clock, log: silentLogger }),
    createLimits({ rpcCheckAnswers: true }),
  );
});
afterEach(async () => {
  context.close();
  await network.close();
});

// biome-ignore lint/suspicious/noExplicitAny: JSON as a client gets it; each assertion says what it must be.
const ask = (method: string, ...params: unknown[]): Promise<any> => invoke(method, params, context);
const build = (count?: number) => network.sequencer.build(count);
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

test('a deposit is followed from nowhere to its credit', async () => {
  const { bitcoin } = network;
  const { tx } = await vault.deposit(RECIPIENT, 1_000_000n);
  const txid = tx.getId();
  const deposit = { sats: hex(998_000n), recipient: toHex(RECIPIENT), payload: '0x', vout: 0 };
  expect(await ask('hemi_getDeposit', txid)).toMatchObject({ txid, status: 'unknown', bitcoin: null, deposit: null, block: null });

  await bitcoin.mineBlocks(1);
  const height = await bitcoin.height();
  const blockHash = await bitcoin.rpc('getbestblockhash', []);
  await build();
  // Too new for the index, but this node holds the block.
  expect(await ask('hemi_getDeposit', txid)).toMatchObject({
    status: 'confirming',
    explanation: `due in 5 Bitcoin blocks, at height ${height + 5}`,
    bitcoin: { height, blockHash, confirmations: 1 },
    dueAtBitcoinHeight: height + 5,
    confirmationsLeft: 5,
    deposit,
    block: null,
  });
  await bitcoin.mineBlocks(4);
  await build();
  expect(await ask('hemi_getDeposit', `0x${txid}`)).toMatchObject({ status: 'confirming', confirmationsLeft: 1, bitcoin: { confirmations: 5 } });

  await bitcoin.mineBlocks(1);
  const { block, hash } = await build();
  const credited = await ask('hemi_getDeposit', txid);
  const number = hex(block.header.number);
  expect(credited).toMatchObject({
    status: 'credited',
    explanation: `credited in L2 block ${block.header.number}`,
    deposit,
    confirmationsLeft: null,
  });
  expect(credited.block).toEqual({ number, hash: toHex(hash) });
  expect(await ask('eth_getTransactionByHash', credited.transactionHash)).toMatchObject({ type: '0x7e', blockNumber: number });

  // A reorg that leaves the payment out does not take the credit back, but is told.
  await bitcoin.rpc('invalidateblock', [blockHash]);
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await bitcoin.mineBlocks(9);
  await build();
  expect(await ask('hemi_getDeposit', txid)).toMatchObject({
    status: 'credited',
    explanation: expect.stringContaining('no longer in the chain'),
    bitcoin: null,
  });
  expect(await ask('hemi_getReserves')).toMatchObject({ deficitSats: hex(998_000n), alarms: [expect.stringContaining('lack 998000 sats')] });
});

test('what is no deposit says why', async () => {
  const { wallet, mineBlocks } = network.bitcoin;
  const toVault = (valueSats: bigint) => ({ to: vault.script, valueSats });
  const name = { to: concat(Uint8Array.of(0x6a, 20), RECIPIENT), valueSats: 0n };
  const filler = { to: wallet.scripts.p2wpkh, valueSats: 1_000n };
  const reasons: [string, { to: Uint8Array; valueSats: bigint }[]][] = [
    ['it pays no vault', [filler]],
    ['it pays the vault behind its first 8 outputs', [name, ...Array.from({ length: 7 }, () => filler), toVault(60_000n)]],
    ['it names no recipient in its first 8 outputs', [toVault(60_000n)]],
    ['it pays the vault 49999 sats, and 50000 is the minimum', [toVault(49_999n), name]],
  ];
  const txids: string[] = [];
  for (const [, outputs] of reasons) {
    txids.push((await wallet.pay({ outputs })).txid);
    await mineBlocks(1);
  }
  await mineBlocks(6);
  await build(2);
  for (const [i, [reason]] of reasons.entries()) {
    expect(await ask('hemi_getDeposit', txids[i])).toMatchObject({ status: 'refused', explanation: `no deposit: ${reason}`, deposit: null });
  }
  await expect(ask('hemi_getDeposit', 'abc')).rejects.toMatchObject({ code: 'rpc/invalid-params' });
});

test('a payment to a vault that came into force after the queue had passed it is not due for ever', async () => {
  const next = createVaultActor(network.bitcoin, 'next custodian');
  const { tx } = await next.deposit(RECIPIENT, 100_000n);
  await network.bitcoin.mineBlocks(8);
  await build(2);
  expect(await ask('hemi_getDeposit', tx.getId())).toMatchObject({ status: 'refused', explanation: 'no deposit: it pays no vault' });
  network.upgrade({ vault: next.address });
  await build(2);
  expect(await ask('hemi_getDeposit', tx.getId())).toMatchObject({
    status: 'refused',
    explanation: expect.stringContaining('after the queue had passed it'),
  });
});

test('a withdrawal is followed from its request over finality to the Bitcoin transaction that paid it', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  const user = createUser(sequencer.node, 0);
  const { coin } = await vault.deposit(fromHex(user.address), 1_000_000n);
  await bitcoin.mineBlocks(6);
  await build();
  await expect(ask('hemi_getWithdrawal', 1)).rejects.toMatchObject({ code: 'rpc/not-found' });
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(PAYEE)] });
  for (const sats of [100_000n, 60_000n]) await user.send({ to: toHex(TUNNEL_ADDRESS), data, value: sats * WEI_PER_SAT });
  const { block, hash } = await build();
  const first = await ask('hemi_getWithdrawal', 1);
  expect(first).toMatchObject({
    id: '0x1',
    status: 'requested',
    sats: hex(100_000n),
    feeSats: hex(3_000n),
    paysSats: hex(97_000n),
    script: toHex(PAYEE),
  });
  expect(first.address).toBe(scriptToAddress(PAYEE, 'regtest'));
  expect(first.block).toEqual({ number: hex(block.header.number), hash: toHex(hash) });
  expect(await ask('hemi_getWithdrawal', '0x2')).toMatchObject({
    paidBefore: '0x1',
    explanation: 'its block is not final yet; 1 requested earlier are paid before it',
  });
  for (const id of [0, 3]) await expect(ask('hemi_getWithdrawal', id)).rejects.toMatchObject({ code: 'rpc/not-found' });

  while (chain.head('latest').header.number % 5n !== 0n) await build();
  await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
  await bitcoin.mineBlocks(11);
  await build();
  expect(await ask('hemi_getWithdrawal', 1)).toMatchObject({ status: 'finalized', explanation: 'final, custodians may pay it: the next to be paid' });

  const { txid } = await vault.spend({
    inputs: [coin],
    outputs: [{ to: PAYEE, valueSats: 97_000n }, { to: PAYEE, valueSats: 57_000n }, { to: vault.script, valueSats: 840_000n }, batchMark(1, 2)],
  });
  await bitcoin.mineBlocks(6);
  await build();
  for (const id of [1, 2]) {
    expect(await ask('hemi_getWithdrawal', id)).toMatchObject({
      status: 'settled',
      bitcoinTxid: txid,
      explanation: `paid by Bitcoin transaction ${txid}`,
    });
  }
  expect(await ask('hemi_getReserves')).toEqual({
    creditedSats: hex(998_000n),
    requestedSats: hex(160_000n),
    settledSats: hex(160_000n),
    requests: '0x2',
    reserveSats: hex(840_000n),
    liabilitySats: hex(838_000n),
    deficitSats: '0x0',
    vaults: [{ address: vault.address, sats: hex(840_000n) }],
    alarms: [],
  });
  // The batch is no deposit.
  expect(await ask('hemi_getDeposit', txid)).toMatchObject({ status: 'spend', deposit: null });
});
