import { RLP } from '@ethereumjs/rlp';
import { tunnel } from '@hemid/contracts';
import { DEAD_ADDRESS, fromDisplay, fromHex, type Hex, scriptToAddress, TUNNEL_ADDRESS, TUNNEL_TYPE, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { layout } from '@hemid/store';
import {
  batchMark,
  createTestNetwork,
  createUser,
  createVaultActor,
  receiptOf,
  spendOtherwise,
  type TestNetwork,
  type User,
  type VaultActor,
  type WalletCoin,
  type WalletOutput,
} from '@hemid/testkit';
import { decodeEventLog, decodeFunctionResult, encodeFunctionData, keccak256 } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';

const FEE = 3_000n;
const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);
const contract = { address: toHex(TUNNEL_ADDRESS), abi: tunnel.abi };

let network: TestNetwork;
let vault: VaultActor;
let user: User;
beforeEach(async () => {
  network = await createTestNetwork();
  vault = createVaultActor(network.bitcoin);
  user = createUser(network.sequencer.node, 0);
});
afterEach(() => network.close());

async function view<T>(functionName: string, args: unknown[] = []): Promise<T> {
  const { chain } = network.sequencer.node;
  const data = fromHex(encodeFunctionData({ abi: tunnel.abi, functionName, args }));
  const message = { from: new Uint8Array(20), to: TUNNEL_ADDRESS, data, value: 0n, gas: undefined, gasPrice: undefined };
  const { output } = await chain.simulate(chain.head('latest'), message);
  return decodeFunctionResult({ abi: tunnel.abi, functionName, data: toHex(output) }) as T;
}

/** Asks to be paid, and builds the block; @returns whether it was taken. */
async function withdraw(sats: bigint, script: Uint8Array = PAYEE): Promise<boolean> {
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(script)] });
  const hash = await user.send({ to: contract.address, data, value: sats * WEI_PER_SAT });
  await network.sequencer.build();
  return receiptOf(network.sequencer.node, hash)?.succeeded === true;
}

/** Deposits, and builds the block that credits it. */
async function deposit(sats: bigint): Promise<WalletCoin> {
  const { coin } = await vault.deposit(fromHex(user.address), sats);
  await network.bitcoin.mineBlocks(6);
  await network.sequencer.build();
  return coin;
}

/** Mines until what was sent is due, and builds; @returns the names of Tunnel's events in that block. */
async function confirm(): Promise<string[]> {
  await network.bitcoin.mineBlocks(6);
  const { block } = await network.sequencer.build();
  const receipts = block.transactions.filter((raw) => raw[0] === TUNNEL_TYPE).map((raw) => receiptOf(network.sequencer.node, keccak256(raw)));
  expect(receipts.every((receipt) => receipt?.succeeded)).toBe(true);
  return receipts.flatMap((receipt) =>
    (receipt?.logs ?? []).map(({ topics, data }) => {
      const log = { abi: tunnel.abi, topics: topics.map(toHex) as [Hex], data: toHex(data) };
      return (decodeEventLog(log) as unknown as { eventName: string }).eventName;
    }),
  );
}

/** Σ of all balances but the dead address's, counted from the rows of the state, less that of the genesis. */
async function countSupply(): Promise<bigint> {
  const { chain } = network.sequencer.node;
  let sum = 0n;
  for await (const [key, row] of network.sequencer.store.range(layout.state, { prefix: new TextEncoder().encode('a') })) {
    const [, balance = new Uint8Array()] = RLP.decode(row) as Uint8Array[];
    if (key.slice(1) !== Buffer.from(DEAD_ADDRESS).toString('latin1')) sum += BigInt(`0x0${Buffer.from(balance).toString('hex')}`);
  }
  const genesis = Object.values(chain.spec.genesis.allocation).reduce((total, { balance = 0n }) => total + balance, 0n);
  expect(network.sequencer.store.get(layout.supply, chain.head('latest').hash)).toBe(sum);
  return sum - genesis;
}

async function verifierAgrees(): Promise<void> {
  const verifier = await network.createVerifier();
  await verifier.sync();
  const head = network.sequencer.node.chain.head('latest');
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(head.hash));
  expect(verifier.store.get(layout.supply, head.hash)).toBe(network.sequencer.store.get(layout.supply, head.hash));
}

test('two withdrawals are requested, paid by one Bitcoin transaction, and settled: their coins are gone, to the wei', async () => {
  const coin = await deposit(1_000_000n);
  expect(await withdraw(100_000n)).toBe(true);
  expect(await withdraw(60_000n, vault.script)).toBe(false);
  expect(await withdraw(60_000n)).toBe(true);
  expect(await countSupply()).toBe(998_000n * WEI_PER_SAT);
  await vault.spend({
    inputs: [coin],
    outputs: [
      { to: PAYEE, valueSats: 100_000n - FEE },
      { to: PAYEE, valueSats: 60_000n - FEE },
      { to: vault.script, valueSats: 1_000_000n - 160_000n },
      batchMark(1, 2),
    ],
  });
  expect(await confirm()).toEqual(['Settled']);
  expect(await view('lowestOpenId')).toBe(3n);
  expect(await view('liabilities')).toBe(998_000n - 160_000n);
  expect(await view('reserves')).toBe(840_000n);
  const { chain } = network.sequencer.node;
  expect((await chain.stateAt(chain.head('latest')).account(DEAD_ADDRESS))?.balance).toBe(160_000n * WEI_PER_SAT);
  expect(await countSupply()).toBe(838_000n * WEI_PER_SAT);
  await verifierAgrees();
});

test('a batch that a deep reorg takes away, and a later version of it that confirms instead, count as one', async () => {
  const { bitcoin, sequencer } = network;
  const coin = await deposit(1_000_000n);
  await withdraw(100_000n);
  const outputs = [{ to: PAYEE, valueSats: 97_000n }, { to: vault.script, valueSats: 900_000n }, batchMark(1, 1)];
  const [own] = await bitcoin.wallet.coins();
  const first = await vault.spend({ inputs: [coin], outputs });
  expect(await confirm()).toEqual(['Settled']);
  // Fees rise: the custodians add a coin of theirs, whose change stands before the mark.
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 5])]);
  const change = { to: bitcoin.wallet.scripts.p2wpkh, valueSats: (own as WalletCoin).valueSats - 50_000n };
  const [payment, rest, mark] = outputs as [WalletOutput, WalletOutput, WalletOutput];
  const { txid } = await vault.spend({ inputs: [coin, own as WalletCoin], outputs: [payment, rest, change, mark] });
  expect(txid).not.toBe(first.txid);
  await bitcoin.mineBlocks(2);
  expect(await confirm()).toEqual(['Replaced']);
  expect(await view('settled')).toBe(100_000n);
  expect(await countSupply()).toBe(898_000n * WEI_PER_SAT);
  expect(await view('breached')).toBe(false);
  await sequencer.build();
  await verifierAgrees();
});

test('a theft from the vault stops withdrawals, not deposits, until an upgrade clears the breach and the deficit is covered', async () => {
  const coin = await deposit(1_000_000n);
  const { txid } = await vault.spend({ inputs: [coin], outputs: [{ to: PAYEE, valueSats: 990_000n }] });
  expect(await confirm()).toEqual(['Breach']);
  expect(await withdraw(50_000n)).toBe(false);
  await deposit(500_000n);
  expect(await view('credited')).toBe(998_000n + 498_000n);
  network.upgrade({ clearBreach: fromDisplay(txid) });
  await network.sequencer.build();
  expect(await view('breached')).toBe(false);
  // What was stolen is still missing.
  expect(await view('deficit')).toBe(998_000n - 2_000n);
  expect(await withdraw(50_000n)).toBe(false);
  await network.bitcoin.wallet.pay({ outputs: [{ to: vault.script, valueSats: 996_000n }] });
  await network.bitcoin.mineBlocks(3);
  await network.sequencer.build();
  expect(await withdraw(50_000n)).toBe(true);
  await verifierAgrees();
});

test('a credited deposit that is double-spent at depth 8 makes a deficit: withdrawals stop, and go on once it is covered', async () => {
  const { bitcoin, sequencer } = network;
  await deposit(1_000_000n);
  const { tx } = await vault.deposit(fromHex(user.address), 400_000n);
  await bitcoin.mineBlocks(8);
  await sequencer.build(2);
  expect(await view('credited')).toBe(998_000n + 398_000n);
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 7])]);
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await bitcoin.mineBlocks(11);
  await sequencer.build(2);
  expect(await view('deficit')).toBe(396_000n);
  expect(await withdraw(50_000n)).toBe(false);
  expect(await countSupply()).toBe(1_396_000n * WEI_PER_SAT);
  await bitcoin.wallet.pay({ outputs: [{ to: vault.script, valueSats: 396_000n }] });
  await bitcoin.mineBlocks(3);
  await sequencer.build();
  expect(await withdraw(50_000n)).toBe(true);
  await verifierAgrees();
});

test('a new vault: both are watched, the old one is swept into it, and the next batch goes on from there', async () => {
  const { bitcoin, sequencer } = network;
  const next = createVaultActor(bitcoin, 'next custodian');
  const coin = await deposit(1_000_000n);
  expect(await withdraw(100_000n)).toBe(true);
  // Somebody who has read the upgrade asks to be paid at the new vault before it is one.
  expect(await withdraw(50_000n, next.script)).toBe(true);
  const limits = { ...network.spec.genesis.tunnel.limits, withdrawalFeeSats: 5_000n, minimumWithdrawalSats: 50_000n };
  network.upgrade({ vault: next.address, limits });
  await sequencer.build();
  expect(await view('vaults')).toEqual([next.address, scriptToAddress(vault.script, 'regtest')]);
  expect([await view('withdrawalFee'), await view('minimumWithdrawal')]).toEqual([5_000n, 50_000n]);
  for (const script of [vault.script, next.script]) expect(await withdraw(60_000n, script)).toBe(false);
  expect(await withdraw(49_000n)).toBe(false);

  const [own] = await bitcoin.wallet.coins();
  const swept = [
    { to: next.script, valueSats: 1_000_000n },
    { to: bitcoin.wallet.scripts.p2wpkh, valueSats: (own as WalletCoin).valueSats - 50_000n },
    batchMark(1, 0),
  ];
  const sweep = await vault.spend({ inputs: [coin, own as WalletCoin], outputs: swept });
  expect(await confirm()).toEqual(['Swept']);
  expect(await view('reserves')).toBe(1_000_000n);

  await next.spend({
    inputs: [next.coinOf(sweep.tx, 0)],
    outputs: [{ to: PAYEE, valueSats: 97_000n }, { to: next.script, valueSats: 47_000n }, { to: next.script, valueSats: 850_000n }, batchMark(1, 2)],
  });
  expect(await confirm()).toEqual(['Settled']);
  expect(await view('breached')).toBe(false);
  expect(await countSupply()).toBe(848_000n * WEI_PER_SAT);
  await verifierAgrees();
});
