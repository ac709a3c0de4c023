import { bitcoinProbe } from '@hemid/contracts';
import {
  type BitcoinView,
  type Deposit,
  FEE_VAULT_ADDRESS,
  fromBigEndian,
  fromHex,
  type GenesisAccount,
  type Hex,
  HISTORY_ADDRESS,
  hashHeader,
  POP_REWARD_ADDRESS,
  paidSlot,
  SYSTEM_ADDRESS,
  seenSlot,
  TUNNEL_ADDRESS,
  toDepositTransaction,
  toDisplay,
  toHex,
  toPayoutTransaction,
  WEI_PER_SAT,
} from '@hemid/protocol';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { decodeFunctionResult, encodeFunctionData, keccak256 } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandbox, openBlockExecution, simulate } from '../src/index.ts';
import { assemble, createLab, type Lab, word } from './lab.ts';

let network: TestNetwork;
let view: BitcoinView;
beforeAll(async () => {
  network = await createTestNetwork();
  const { chain } = network.sequencer.node;
  view = chain.viewAt(chain.head('latest'));
});
afterAll(() => network.close());

const CONTRACT = `0x${'c0'.repeat(20)}` as const;
const contract = fromHex(CONTRACT);
const labWith = (allocation: Record<Hex, GenesisAccount | undefined>): Promise<Lab> => createLab(network.spec, { view, allocation });
const withCode = (code: Uint8Array, at: Hex = CONTRACT): Promise<Lab> => labWith({ [at]: { nonce: 1, code } });
const slotOf = async (lab: Lab, slot: number, address = contract): Promise<bigint> =>
  fromBigEndian(await lab.state().storage(address, fromHex(word(slot))));
const balanceOf = async (lab: Lab, address: Uint8Array): Promise<bigint> => (await lab.state().account(address))?.balance ?? 0n;

const deposit: Deposit = {
  txid: new Uint8Array(32).fill(7),
  vout: 0,
  height: 111,
  sats: 98_000n,
  recipient: new Uint8Array(20).fill(0xaa),
  payload: new Uint8Array(),
};

test('a transaction reads the parent hash from the EIP-2935 contract and by BLOCKHASH', async () => {
  const parent = [1, 'NUMBER', 'SUB'] as const;
  const fromHistory = [
    ...parent,
    0,
    'MSTORE',
    32,
    0,
    32,
    0,
    toHex(HISTORY_ADDRESS),
    'GAS',
    'STATICCALL',
    2,
    'SSTORE',
    0,
    'MLOAD',
    0,
    'SSTORE',
  ] as const;
  const lab = await withCode(assemble(...fromHistory, ...parent, 'BLOCKHASH', 1, 'SSTORE'));
  for (let i = 0; i < 3; i += 1) {
    const parentHash = fromBigEndian(hashHeader(lab.head()));
    await lab.build(async (block) => block.user(await lab.sign(0, { to: contract })));
    expect(await slotOf(lab, 2)).toBe(1n);
    expect(await slotOf(lab, 0)).toBe(parentHash);
    expect(await slotOf(lab, 1)).toBe(parentHash);
  }
});

test('a contract reads any earlier hash from the EIP-2935 contract, but not that of its own block', async () => {
  const lab = await withCode(fromHex(bitcoinProbe.deployedBytecode));
  const hashes = [hashHeader(lab.head())];
  for (let i = 0; i < 4; i += 1) hashes.push((await lab.build(async () => undefined)).hash);
  const read = (number: number) => {
    const data = fromHex(encodeFunctionData({ abi: bitcoinProbe.abi, functionName: 'parentHashFrom2935', args: [BigInt(number)] }));
    const message = { from: new Uint8Array(20), to: contract, data, value: 0n, gas: undefined, gasPrice: undefined };
    const at = { header: lab.head(), hash: hashHeader(lab.head()), view, ancestorHash: (n: bigint) => hashes[Number(n)] };
    return simulate(createSandbox(lab.deps, at), message);
  };
  for (const number of [0, 1, 2, 3]) {
    const { output } = await read(number);
    expect(decodeFunctionResult({ abi: bitcoinProbe.abi, functionName: 'parentHashFrom2935', data: toHex(output) })).toBe(
      toHex(hashes[number] as Uint8Array),
    );
  }
  expect((await read(4)).reverted).toBe(true);
});

test('base fees go to the fee vault and tips to the beneficiary, to the wei', async () => {
  const lab = await labWith({});
  const before = await balanceOf(lab, FEE_VAULT_ADDRESS);
  const sender = await balanceOf(lab, lab.addressOf(0));
  const { block, receipts } = await lab.build(async (execution) => {
    await execution.user(await lab.sign(0, { to: contract, value: 5n, tip: 3n }));
    await execution.user(await lab.sign(1, { to: contract, data: new Uint8Array(100).fill(1), tip: 2n }));
    // The fee cap leaves no more than one wei for its tip.
    await execution.user(await lab.sign(2, { to: contract, maxFee: execution.header.baseFeePerGas + 1n, tip: 1n }));
  });
  const { baseFeePerGas, gasUsed } = block.header;
  expect(baseFeePerGas).toBe(10_000_000n);
  const gas = receipts.map((receipt) => receipt.gasUsed);
  expect(gas[0]).toBe(21_000n);
  expect(await balanceOf(lab, FEE_VAULT_ADDRESS)).toBe(before + baseFeePerGas * gasUsed);
  expect(await balanceOf(lab, lab.beneficiary)).toBe(21_000n * 3n + (gas[1] ?? 0n) * 2n + 21_000n);
  expect(await balanceOf(lab, lab.addressOf(0))).toBe(sender - 5n - 21_000n * (baseFeePerGas + 3n));
  expect(receipts.map((receipt) => receipt.effectiveGasPrice - baseFeePerGas)).toEqual([3n, 2n, 1n]);
});

test('no transaction of a block sees the base fees of that block', async () => {
  const lab = await withCode(assemble(toHex(FEE_VAULT_ADDRESS), 'BALANCE', 0, 'SSTORE'));
  await lab.build(async (execution) => {
    await execution.user(await lab.sign(0, { to: lab.addressOf(5) }));
    await execution.user(await lab.sign(1, { to: contract }));
  });
  expect(await slotOf(lab, 0)).toBe(0n);
  const afterOne = await balanceOf(lab, FEE_VAULT_ADDRESS);
  await lab.build(async (execution) => execution.user(await lab.sign(1, { to: contract })));
  expect(await slotOf(lab, 0)).toBe(afterOne);
  expect(afterOne).toBeGreaterThan(0n);
});

test('a block without user transactions does not write the fee vault, system gas or not', async () => {
  const lab = await labWith({ [toHex(FEE_VAULT_ADDRESS)]: undefined });
  const { block } = await lab.build(async (execution) => execution.system(toDepositTransaction(deposit)));
  expect(block.header.gasUsed).toBeGreaterThan(21_000n);
  expect(await lab.state().account(FEE_VAULT_ADDRESS)).toBeUndefined();
});

test('a system transaction sees ORIGIN and CALLER 0x88…88, gas price 0, the real base fee, and what it minted', async () => {
  const cost = (...access: Parameters<typeof assemble>) => ['GAS', ...access, 'POP', 'GAS', 'SWAP1', 'SUB'] as const;
  const code = assemble(
    ...(['ORIGIN', 0, 'SSTORE', 'CALLER', 1, 'SSTORE', 1, 'GASPRICE', 'ADD', 2, 'SSTORE', 'BASEFEE', 3, 'SSTORE'] as const),
    ...(['CALLVALUE', 4, 'SSTORE'] as const),
    ...([...cost('COINBASE', 'BALANCE'), 5, 'SSTORE'] as const),
    ...([...cost(0x43, 'BALANCE'), 6, 'SSTORE'] as const),
  );
  const lab = await withCode(code, toHex(TUNNEL_ADDRESS));
  const { block, receipts } = await lab.build(async (execution) => execution.system(toDepositTransaction(deposit)));
  const slot = (n: number): Promise<bigint> => slotOf(lab, n, TUNNEL_ADDRESS);
  expect(receipts[0]?.succeeded).toBe(true);
  expect(await slot(0)).toBe(fromBigEndian(SYSTEM_ADDRESS));
  expect(await slot(1)).toBe(fromBigEndian(SYSTEM_ADDRESS));
  expect(await slot(2)).toBe(1n);
  expect(await slot(3)).toBe(block.header.baseFeePerGas);
  expect(await slot(4)).toBe(98_000n * WEI_PER_SAT);
  // Warm: 100 for BALANCE, and 2 or 3 for each opcode around it.
  expect(await slot(5)).toBe(106n);
  expect(await slot(6)).toBe(107n);
});

test('the nonce of the system address counts every system transaction, and nothing of it is paid', async () => {
  const lab = await labWith({});
  const payout = toPayoutTransaction({ blockRewarded: 5n, miners: [new Uint8Array(20).fill(1)], amounts: [10n] });
  await lab.build(async (execution) => {
    expect((await execution.system(payout)).nonce).toBe(0n);
    expect((await execution.system(toDepositTransaction(deposit))).nonce).toBe(1n);
  });
  expect(await lab.state().account(SYSTEM_ADDRESS)).toEqual({ nonce: 2n, balance: 0n });
  expect(await balanceOf(lab, lab.beneficiary)).toBe(0n);
  expect(await balanceOf(lab, deposit.recipient)).toBe(98_000n * WEI_PER_SAT);
});

test('the budget is charged the full limit of a system transaction, the receipt shows the gas it used', async () => {
  const lab = await labWith({});
  await lab.build(async (execution) => {
    const limit = execution.gasLeft();
    expect(limit).toBe(lab.spec.genesis.gasLimit);
    const receipt = await execution.system(toDepositTransaction(deposit));
    expect(receipt.gasUsed).toBeLessThan(250_000n);
    expect(execution.gasLeft()).toBe(limit - 250_000n);
    const user = await execution.user(await lab.sign(0, { to: contract, gas: 1_000_000n }));
    expect(user.gasUsed).toBe(21_000n);
    expect(user.cumulativeGasUsed).toBe(receipt.gasUsed + 21_000n);
    expect(execution.gasLeft()).toBe(limit - 250_000n - 21_000n);
  });
});

test('a deposit that reverts undoes the mint, keeps nonce and gas, and leaves the seen mark', async () => {
  const lab = await labWith({});
  const honest = toDepositTransaction(deposit);
  // One wei more than the sats are worth: Tunnel reverts.
  const { receipts, block } = await lab.build(async (execution) => execution.system({ ...honest, mint: honest.mint + 1n, value: honest.value + 1n }));
  const [receipt] = receipts;
  expect(receipt?.succeeded).toBe(false);
  expect(receipt?.logs).toEqual([]);
  expect(receipt?.gasUsed).toBeGreaterThan(21_000n);
  expect(receipt?.gasUsed).toBeLessThan(60_000n);
  expect(block.header.gasUsed).toBe(receipt?.gasUsed);
  expect(await lab.state().account(SYSTEM_ADDRESS)).toEqual({ nonce: 1n, balance: 0n });
  expect(await balanceOf(lab, TUNNEL_ADDRESS)).toBe(0n);
  expect(await balanceOf(lab, deposit.recipient)).toBe(0n);
  expect(fromBigEndian(await lab.state().storage(TUNNEL_ADDRESS, seenSlot(deposit.txid)))).toBe(1n);
  const again = await lab.build(async (execution) => execution.system(honest));
  expect(again.receipts[0]?.succeeded).toBe(false);
});

test('a deposit that runs out of gas uses its whole limit, and one that succeeds gets no mark from the executor', async () => {
  const mark = async (lab: Lab): Promise<bigint> => fromBigEndian(await lab.state().storage(TUNNEL_ADDRESS, seenSlot(deposit.txid)));
  const burning = await withCode(assemble('INVALID'), toHex(TUNNEL_ADDRESS));
  const burnt = await burning.build(async (execution) => execution.system(toDepositTransaction(deposit)));
  expect(burnt.receipts[0]?.gasUsed).toBe(250_000n);
  expect(await mark(burning)).toBe(1n);
  const idle = await withCode(assemble('STOP'), toHex(TUNNEL_ADDRESS));
  const done = await idle.build(async (execution) => execution.system(toDepositTransaction(deposit)));
  expect(done.receipts[0]?.succeeded).toBe(true);
  expect(await mark(idle)).toBe(0n);
});

test('a keystone is marked paid whether its payout succeeds or not', async () => {
  const payout = toPayoutTransaction({ blockRewarded: 5n, miners: [new Uint8Array(20).fill(1)], amounts: [10n] });
  for (const [code, succeeded] of [
    [assemble('STOP'), true],
    [assemble(0, 0, 'REVERT'), false],
  ] as const) {
    const lab = await withCode(code, toHex(POP_REWARD_ADDRESS));
    const { receipts } = await lab.build(async (execution) => execution.system(payout));
    expect(receipts[0]?.succeeded).toBe(succeeded);
    expect(fromBigEndian(await lab.state().storage(POP_REWARD_ADDRESS, paidSlot(5n)))).toBe(1n);
    expect(fromBigEndian(await lab.state().storage(POP_REWARD_ADDRESS, paidSlot(10n)))).toBe(0n);
  }
});

test('a transaction that cannot be executed leaves no trace', async () => {
  const lab = await labWith({});
  const [one, two] = [await lab.sign(0, { to: contract }), await lab.sign(0, { to: contract })];
  const honest = await lab.open();
  await honest.user(one);
  const disturbed = await lab.open();
  await expect(disturbed.user(two)).rejects.toThrow(/nonce too high/);
  await expect(disturbed.user(await lab.sign(1, { to: contract, maxFee: 1n, tip: 1n }))).rejects.toThrow(/max fee per gas less than block base fee/);
  await expect(disturbed.user(await lab.sign(2, { to: contract, value: 10n ** 30n }))).rejects.toThrow(
    /insufficient funds for gas \* price \+ value/,
  );
  await disturbed.user(one);
  expect((await disturbed.finish()).hash).toEqual((await honest.finish()).hash);
});

test('prevRandao is the hash of the Bitcoin tip and the number', async () => {
  const lab = await withCode(assemble('PREVRANDAO', 0, 'SSTORE'));
  await lab.build(async (execution) => execution.user(await lab.sign(0, { to: contract })));
  const tip = toDisplay(view.lightTip.hash);
  expect(await slotOf(lab, 0)).toBe(BigInt(keccak256(`0x${tip}0000000000000001`)));
});

test('each system transaction starts cold, with empty transient storage and with its own original values', async () => {
  const count = [0, 'SLOAD', 1, 'ADD', 0, 'SSTORE'] as const;
  const transient = [0, 'TLOAD', 1, 'SSTORE', 1, 0, 'TSTORE'] as const;
  const lab = await withCode(assemble(...count, ...transient), toHex(TUNNEL_ADDRESS));
  const { receipts } = await lab.build(async (execution) => {
    for (const n of [7, 8, 9]) await execution.system(toDepositTransaction({ ...deposit, txid: new Uint8Array(32).fill(n) }));
  });
  expect(await slotOf(lab, 0, TUNNEL_ADDRESS)).toBe(3n);
  expect(await slotOf(lab, 1, TUNNEL_ADDRESS)).toBe(0n);
  const [first = 0n, second = 0n, third = 0n] = receipts.map((receipt) => receipt.gasUsed);
  // The first makes the slot (20,000), the others change it (2,900), all of them cold.
  expect(first - second).toBe(17_100n);
  expect(third).toBe(second);
});

test('a system transaction gets its refund, but never more than a fifth of its gas', async () => {
  for (const slots of [1, 10]) {
    const storage = Object.fromEntries(Array.from({ length: slots }, (_, i) => [word(i), fromHex(word(1))]));
    const clear = Array.from({ length: slots }, (_, i) => [0, i, 'SSTORE'] as const).flat();
    const burn = Array.from({ length: 10 }, (_, i) => [100 + i, 'SLOAD', 'POP'] as const).flat();
    const lab = await labWith({ [toHex(TUNNEL_ADDRESS)]: { nonce: 1, code: assemble(...clear, ...burn), storage } });
    const { receipts } = await lab.build(async (execution) => {
      await execution.system(toDepositTransaction(deposit));
      await execution.system(toDepositTransaction({ ...deposit, txid: new Uint8Array(32).fill(8) }));
    });
    const [cleared = 0n, idle = 0n] = receipts.map((receipt) => receipt.gasUsed);
    // Clearing a slot costs 5,000 where writing what is there costs 2,200, and earns 4,800.
    const spent = idle + 2_800n * BigInt(slots);
    const earned = 4_800n * BigInt(slots);
    expect(cleared).toBe(spent - (earned < spent / 5n ? earned : spent / 5n));
    expect(earned < spent / 5n).toBe(slots === 1);
  }
});

test('a system transaction pays at least the floor of its calldata', async () => {
  const lab = await withCode(assemble('STOP'), toHex(TUNNEL_ADDRESS));
  const transaction = toDepositTransaction(deposit);
  const { receipts } = await lab.build(async (execution) => execution.system(transaction));
  const zeros = transaction.data.filter((byte) => byte === 0).length;
  expect(receipts[0]?.gasUsed).toBe(21_000n + 10n * BigInt(zeros + 4 * (transaction.data.length - zeros)));
});

test('blocks and calls leave nothing with the rule set that would keep their state in memory', async () => {
  const lab = await labWith({});
  const parent = lab.head();
  const input = { parent, timestamp: parent.timestamp + 1n, beneficiary: contract, ancestorHash: () => undefined };
  for (let i = 0; i < 3; i += 1) await (await openBlockExecution(lab.deps, input, view)).finish();
  expect(lab.deps.common.events.listenerCount('hardforkChanged')).toBe(0);
});
