import { createNode, createRpcDeps, devKey, withDevelopment } from '@hemid/node';
import {
  type ChainSpec,
  DEVELOPMENT_TYPE,
  type DevelopmentTransaction,
  encodeSystemTransaction,
  isHemidError,
  parseChainSpec,
  type SealedBlock,
  SYSTEM_ADDRESS,
} from '@hemid/protocol';
import { createRpcContext, invoke, methods } from '@hemid/rpc';
import { Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import {
  type BitcoinActor,
  createEmbeddedBitcoin,
  createManualClock,
  developmentSpecJson,
  devSpecJson,
  forge,
  type ManualClock,
} from '@hemid/testkit';
import { beforeAll, expect, test } from 'vitest';

const BOB = new Uint8Array(20).fill(0xb0);
const GIFT: DevelopmentTransaction = {
  type: DEVELOPMENT_TYPE,
  from: SYSTEM_ADDRESS,
  nonce: 1n,
  to: undefined,
  gas: 0n,
  maxFeePerGas: 0n,
  maxPriorityFeePerGas: 0n,
  value: 0n,
  data: new Uint8Array(),
  writes: [{ address: BOB, balance: 10n ** 30n }],
};

let clock: ManualClock;
let bitcoin: BitcoinActor;
/** The same network, once as it is for development and once not. */
let development: ChainSpec;
let ordinary: ChainSpec;
beforeAll(async () => {
  clock = createManualClock(1_800_000_000_000);
  bitcoin = await createEmbeddedBitcoin(clock);
  const seconds = Math.floor(clock.now() / 1000);
  development = parseChainSpec(await developmentSpecJson(bitcoin.rpc, seconds));
  ordinary = parseChainSpec(await devSpecJson(bitcoin.rpc, seconds));
});

async function open(spec: ChainSpec, production?: 'automine') {
  const onFailure = (error: unknown): void => {
    throw error;
  };
  const role = { kind: 'sequencer', key: new Secret(devKey('sequencer').secret), development: production } as const;
  const deps = { spec, store: await openMemoryStore(), bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure };
  const node = await createNode(deps, { bitcoinPollMs: 1000, role });
  await node.bitcoinSync.pull();
  return node;
}

/** The rule that another node of the chain says the block breaks when these stand behind its system transactions. */
async function verdict(
  spec: ChainSpec,
  extra: readonly Uint8Array[],
  before: readonly Uint8Array[] = [],
): Promise<{ rule: unknown; message: string }> {
  await clock.advance(1000);
  const honest = (await (await open(spec)).duty?.tick()) as SealedBlock;
  const forged = forge(spec, honest, (block) => ({ ...block, transactions: [...before, ...block.transactions, ...extra] }));
  try {
    await (await open(spec)).chain.import(forged);
  } catch (error) {
    if (!isHemidError(error, 'chain/block-invalid')) throw error;
    return { rule: error.details['rule'], message: error.message };
  }
  return { rule: undefined, message: 'the block was accepted' };
}

test('the two networks have different genesis blocks: no node can be of both', async () => {
  expect(development.genesisHash).not.toEqual(ordinary.genesisHash);
});

test('a development transaction is refused by a chain that is not for development, writes and calls alike', async () => {
  const call = { ...GIFT, from: BOB, gas: 21_000n, to: BOB, writes: [] };
  for (const one of [GIFT, call]) {
    const { rule, message } = await verdict(ordinary, [encodeSystemTransaction(one)]);
    expect(rule).toBe('development-transaction');
    expect(message).toMatch(/are for chains whose spec says "development"/);
  }
  const { chain } = await open(ordinary);
  await expect(chain.rollback(0n, { slots: 'freed' })).rejects.toThrow(/on development chains alone/);
  await expect(open(ordinary, 'automine')).rejects.toThrow(/not that of a development network/);
});

test('on a development chain what it sets must be in the root, a call must be executable, and both stand in their place', async () => {
  expect((await verdict(development, [encodeSystemTransaction(GIFT)])).rule).toBe('header-stateRoot');
  const call = { ...GIFT, from: BOB, gas: 21_000n, to: BOB, maxFeePerGas: 10n ** 9n, nonce: 0n, writes: [] };
  const { rule, message } = await verdict(development, [encodeSystemTransaction(call)]);
  expect(rule).toBe('development-transaction');
  expect(message).toMatch(/insufficient funds for gas \* price \+ value/);
  await bitcoin.mineBlocks(1);
  expect((await verdict(development, [], [encodeSystemTransaction(GIFT)])).rule).toBe('transaction-order');
});

test('the pool takes no development transaction', async () => {
  const { pool } = await open(development, 'automine');
  await expect(pool?.submit(encodeSystemTransaction(GIFT))).rejects.toThrow(/are made by blocks alone/);
});

test('a node that is not for development has none of the verbs, and no admin method on its port', async () => {
  const node = await open(ordinary);
  const deps = createRpcDeps(node, { clock, log: silentLogger });
  const context = createRpcContext(withDevelopment(deps, node));
  const names = Object.keys(methods).filter((name) =>
    /^(evm|anvil|hardhat|personal|admin)_|^eth_(sign|sendTransaction|sendUnsignedTransaction)/.test(name),
  );
  expect(names.length).toBeGreaterThan(40);
  for (const name of names) await expect(invoke(name, [], context)).rejects.toMatchObject({ code: 'rpc/method-not-found' });
  expect(await invoke('eth_accounts', [], context)).toEqual([]);
  const { methods: shown } = (await invoke('rpc.discover', [], context)) as { methods: { name: string }[] };
  expect(shown.filter(({ name }) => names.includes(name))).toEqual([]);
  context.close();
});
