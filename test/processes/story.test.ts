import { parseBlock } from '@hemid/bitcoin';
import { bitcoinProbe, popReward } from '@hemid/contracts';
import { devVaultScript } from '@hemid/node';
import { addressOfKey, concat, fromHex, type Hex, POP_REWARD_ADDRESS, readPopScript, toDigits, toHex } from '@hemid/protocol';
import {
  type Bitcoind,
  type BitcoinWallet,
  buildTransaction,
  createBitcoinWallet,
  type ProgramProcess,
  signTransaction,
  waitFor,
  waitForOutput,
} from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import { createPublicClient, createWalletClient, defineChain, http, type PublicClient, type WalletClient } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgramScene, type ProgramScene } from '../program-scene.ts';

const STRANGER = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
const MINER_SECRET = 'a1'.repeat(32);
const ACCOUNT = mnemonicToAccount('test test test test test test test test test test test junk');
const PATIENCE_MS = 40_000;

let scene: ProgramScene;
let popmd: ProgramProcess;
let bitcoind: Bitcoind;
let treasury: BitcoinWallet;
let miner: BitcoinWallet;
let client: PublicClient;
let verifier: PublicClient;
let user: WalletClient;
let probe: Hex;

const mine = (count: number): Promise<void> => scene.mine(count);

/** Mines blocks that leave the mempool where it is, but for these transactions. */
async function mineOnly(count: number, transactions: string[] = []): Promise<void> {
  for (let i = 0; i < count; i += 1) await bitcoind.rpc('generateblock', [STRANGER, i === 0 ? transactions : []]);
}

const height = async (): Promise<number> => (await bitcoind.rpc('getblockcount', [])) as number;
const head = async (of: PublicClient, blockTag: 'latest' | 'safe' | 'finalized'): Promise<bigint> => (await of.getBlock({ blockTag })).number ?? 0n;

/** Waits until the L2 chain has built on the Bitcoin tip of now. */
async function untilL2Sees(bitcoinHeight: number): Promise<void> {
  await waitFor(
    async () => {
      const { extraData } = await client.getBlock();
      const header = (await bitcoind.rpc('getblockheader', [extraData.slice(2)])) as { height: number; confirmations: number };
      return header.confirmations > 0 && header.height >= bitcoinHeight;
    },
    { timeoutMs: PATIENCE_MS, what: `an L2 block on Bitcoin height ${bitcoinHeight}` },
  );
}

interface Seen {
  txid: string;
  keystone: number;
  /** `undefined` in the mempool. */
  height: number | undefined;
}

/** Every publication on the best chain above `from`, and in the mempool. */
async function publications(from: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  const look = (transaction: { getId(): string; outs: { script: Uint8Array }[] }, at: number | undefined): void => {
    for (const { script } of transaction.outs) {
      const keystone = readPopScript(script);
      if (keystone !== undefined) seen.push({ txid: transaction.getId(), keystone: keystone.l2BlockNumber, height: at });
    }
  };
  for (let h = from; h <= (await height()); h += 1) {
    const raw = fromHex((await bitcoind.rpc('getblock', [await bitcoind.rpc('getblockhash', [h]), 0])) as string);
    for (const transaction of parseBlock(raw).transactions) {
      look({ getId: () => toDigits(transaction.txid.slice().reverse()), outs: transaction.outputs }, h);
    }
  }
  for (const txid of (await bitcoind.rpc('getrawmempool', [])) as string[]) {
    look(Transaction.fromHex((await bitcoind.rpc('getrawtransaction', [txid])) as string), undefined);
  }
  return seen;
}

/** Both nodes have the same block at every height up to the lower of their heads. */
async function expectAgreement(): Promise<void> {
  const number = await head(client, 'latest');
  await waitFor(async () => (await head(verifier, 'latest')) >= number, { timeoutMs: PATIENCE_MS, what: `the verifier at block ${number}` });
  for (let n = number; n > 0n && n > number - 30n; n -= 1n) {
    const [a, b] = await Promise.all([client.getBlock({ blockNumber: n }), verifier.getBlock({ blockNumber: n })]);
    expect({ number: n, hash: b.hash, stateRoot: b.stateRoot }).toEqual({ number: n, hash: a.hash, stateRoot: a.stateRoot });
  }
}

beforeAll(async () => {
  scene = await createProgramScene('story', async ({ bitcoind: { rpc }, treasury: rich }) => {
    miner = createBitcoinWallet({ rpc, secret: fromHex(MINER_SECRET) });
    await rich.mine(110);
    await rich.pay({ outputs: Array.from({ length: 5 }, () => ({ to: miner.addresses.p2wpkh, valueSats: 1_000_000n })) });
    await rich.mine(1);
  });
  ({ bitcoind, treasury } = scene);
  const sequencer = await scene.start('sequencer');
  const second = await scene.start('verifier', { role: 'verifier', options: ['--upstream', sequencer.url] });
  popmd = scene.startPopmd([], {
    POPM_BITCOIN_SECRET: MINER_SECRET,
    POPM_BITCOIN_NETWORK: 'localnet',
    POPM_BITCOIN_URL: scene.bitcoinUrl,
    POPM_OPGETH_URL: sequencer.url,
    POPM_STATIC_FEE: '2',
    POPM_POLL_MS: '200',
  });
  const chain = defineChain({
    id: 743_555,
    name: 'hemid dev',
    nativeCurrency: { name: 'hBTC', symbol: 'hBTC', decimals: 18 },
    rpcUrls: { default: { http: [sequencer.url] } },
  });
  client = createPublicClient({ chain, transport: http(sequencer.url), pollingInterval: 100 });
  verifier = createPublicClient({ chain, transport: http(second.url), pollingInterval: 100 });
  user = createWalletClient({ chain, transport: http(sequencer.url), account: ACCOUNT });
}, 120_000);

afterAll(async () => expect(await scene?.close()).toEqual([0, 0, 0]), 60_000);

async function transact(functionName: string, args: readonly unknown[]): Promise<void> {
  const hash = await user.writeContract({ address: probe, abi: bitcoinProbe.abi, functionName, args, account: ACCOUNT, chain: null });
  const receipt = await client.waitForTransactionReceipt({ hash, timeout: PATIENCE_MS });
  expect(receipt.status).toBe('success');
}

const read = (of: PublicClient, functionName: string, args: readonly unknown[] = []): Promise<unknown> =>
  of.readContract({ address: probe, abi: bitcoinProbe.abi, functionName, args });

test('a contract reads the last Bitcoin header and a balance, and the answer changes when the view allows, not before', async () => {
  const hash = await user.deployContract({ abi: bitcoinProbe.abi, bytecode: bitcoinProbe.bytecode, account: ACCOUNT, chain: null });
  const receipt = await client.waitForTransactionReceipt({ hash, timeout: PATIENCE_MS });
  probe = receipt.contractAddress as Hex;

  const someone = createBitcoinWallet({ rpc: bitcoind.rpc, secret: fromHex('c3'.repeat(32)) }).addresses.p2wpkh;
  await mine(3);
  await untilL2Sees(await height());
  expect(await read(client, 'balance', [someone])).toBe(0n);
  await treasury.pay({ outputs: [{ to: someone, valueSats: 123_456n }] });
  await mine(1);
  const paidAt = await height();
  await mine(1);
  await untilL2Sees(paidAt + 1);
  // The light tip is one above the payment, the index two below the light tip: the payment is not there yet.
  expect(await read(client, 'balance', [someone])).toBe(0n);
  await mine(1);
  await untilL2Sees(paidAt + 2);
  expect(await read(client, 'balance', [someone])).toBe(123_456n);
  const frame = (await read(client, 'lastHeader')) as Hex;
  expect(Number.parseInt(frame.slice(2, 10), 16)).toBe(paidAt);
  expect(frame.slice(10, 74)).toBe(await bitcoind.rpc('getblockhash', [paidAt]));

  await transact('record', [someone]);
  expect(await read(client, 'recordedSats')).toBe(123_456n);
  await expectAgreement();
  expect(await read(verifier, 'recordedSats')).toBe(123_456n);
});

test('a deposit with calldata brings coins and call', async () => {
  const name = concat(Uint8Array.of(0x6a, 23), fromHex(probe), fromHex('0xabcdef'));
  await treasury.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 500_000n },
      { to: name, valueSats: 0n },
    ],
  });
  await mine(5);
  await untilL2Sees(await height());
  expect(await read(client, 'lastValue')).toBe(0n);
  await mine(1);
  await untilL2Sees(await height());
  expect(await read(client, 'lastValue')).toBe(498_000n * 10n ** 10n);
  expect(await read(client, 'lastData')).toBe('0xabcdef');
  await expectAgreement();
  expect(await client.getBalance({ address: probe })).toBe(await verifier.getBalance({ address: probe }));
});

test('keystones become safe, then finalized, and their miner is paid', async () => {
  await waitForOutput(popmd, /keystone published/, PATIENCE_MS);
  await mine(2);
  await waitFor(async () => (await head(client, 'safe')) > 0n, { timeoutMs: PATIENCE_MS, what: 'a safe head' });
  expect(await head(client, 'finalized')).toBe(0n);
  await mine(10);
  await waitFor(async () => (await head(client, 'finalized')) > 0n, { timeoutMs: PATIENCE_MS, what: 'a finalized head' });
  const address = toHex(addressOfKey(miner.publicKey) as Uint8Array);
  const reward = (of: PublicClient): Promise<bigint> =>
    of.readContract({ address: toHex(POP_REWARD_ADDRESS), abi: popReward.abi, functionName: 'balanceOf', args: [address] }) as Promise<bigint>;
  await waitFor(async () => (await reward(client)) > 0n, { timeoutMs: PATIENCE_MS, what: 'a payout' });
  await expectAgreement();
  expect(await reward(verifier)).toBeGreaterThan(0n);
});

/** A publication in block P of a keystone that names a lower tip, with two blocks above P. */
async function publishUnderTwoBlocks(): Promise<{ keystone: number; txid: string; height: number; safe: bigint }> {
  await mine(1);
  const tip = await height();
  await untilL2Sees(tip);
  const number = await head(client, 'latest');
  const pending = await waitFor(
    async () =>
      (await publications(tip)).filter((one) => one.height === undefined && BigInt(one.keystone) > number).sort((a, b) => b.keystone - a.keystone)[0],
    { timeoutMs: PATIENCE_MS, what: 'the publication of a new keystone' },
  );
  await mine(1);
  const at = await height();
  await mineOnly(2);
  const safe = await waitFor(
    async () => {
      const now = await head(client, 'safe');
      return now >= BigInt(pending.keystone - 1) && now;
    },
    { timeoutMs: PATIENCE_MS, what: `block ${pending.keystone - 1} to become safe` },
  );
  return { ...pending, height: at, safe };
}

test('finality falls when Bitcoin drops the publication; it returns from the mempool by itself and the miner does not publish again', async () => {
  const published = await publishUnderTwoBlocks();
  await bitcoind.rpc('invalidateblock', [await bitcoind.rpc('getblockhash', [published.height])]);
  await mineOnly(4);
  await waitFor(async () => (await head(client, 'safe')) < BigInt(published.keystone - 1), { timeoutMs: PATIENCE_MS, what: 'finality to fall' });
  await waitFor(async () => (await head(verifier, 'safe')) < BigInt(published.keystone - 1), {
    timeoutMs: PATIENCE_MS,
    what: "the verifier's finality to fall",
  });
  const now = await publications(published.height);
  expect(now.filter((one) => one.keystone === published.keystone)).toEqual([
    { txid: published.txid, keystone: published.keystone, height: undefined },
  ]);
  // The miner has time for several rounds.
  await untilL2Sees(await height());
  const start = await head(client, 'latest');
  await waitFor(async () => (await head(client, 'latest')) > start + 3n, { timeoutMs: PATIENCE_MS, what: 'three more L2 blocks' });
  await mine(2);
  await waitFor(async () => (await head(client, 'safe')) >= published.safe, { timeoutMs: PATIENCE_MS, what: 'finality to return' });
  const all = (await publications(published.height)).filter((one) => one.keystone === published.keystone);
  expect(all.map(({ txid }) => txid)).toEqual([published.txid]);
  await expectAgreement();
});

test('when the input of the publication is spent otherwise on the new branch, the miner publishes again', async () => {
  const published = await publishUnderTwoBlocks();
  const lost = Transaction.fromHex((await bitcoind.rpc('getrawtransaction', [published.txid])) as string);
  await bitcoind.rpc('invalidateblock', [await bitcoind.rpc('getblockhash', [published.height])]);
  // The first transaction of the chain of change that the publication hangs on, or the publication itself.
  const mempool = new Set((await bitcoind.rpc('getrawmempool', [])) as string[]);
  let first = lost;
  for (;;) {
    const parent = toDigits((first.ins[0]?.hash ?? new Uint8Array()).slice().reverse());
    if (!mempool.has(parent)) break;
    first = Transaction.fromHex((await bitcoind.rpc('getrawtransaction', [parent])) as string);
  }
  const input = first.ins[0];
  const from = { txid: toDigits((input?.hash ?? new Uint8Array()).slice().reverse()), vout: input?.index ?? 0 };
  const out = (await bitcoind.rpc('gettxout', [from.txid, from.vout, false])) as { value: number };
  const coin = { ...from, valueSats: BigInt(Math.round(out.value * 1e8)), script: miner.scripts.p2wpkh };
  const rival = buildTransaction({ inputs: [coin], outputs: [{ to: miner.scripts.p2wpkh, valueSats: coin.valueSats - 50_000n }] });
  await mineOnly(4, [signTransaction(rival, [coin], [miner.secretKey]).toHex()]);
  const again = await waitFor(
    async () =>
      (await publications(published.height)).find(
        (one) => one.keystone >= published.keystone && one.txid !== published.txid && one.height === undefined,
      ),
    { timeoutMs: PATIENCE_MS, what: 'another publication' },
  );
  expect(again.txid).not.toBe(published.txid);
  await waitFor(async () => (await publications(published.height)).some((one) => one.keystone === published.keystone), {
    timeoutMs: PATIENCE_MS,
    what: `keystone ${published.keystone} to be published again`,
  });
  await mine(3);
  await waitFor(async () => (await head(client, 'safe')) >= published.safe, { timeoutMs: PATIENCE_MS, what: 'finality to return' });
  await expectAgreement();
});
