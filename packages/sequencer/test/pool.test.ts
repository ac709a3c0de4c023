import type { ChainReader } from '@hemid/chain';
import { type ChainSpec, fromHex, type Hex, hashTransaction, isHemidError, isSystemEnvelope, type SealedBlock, toHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { concat, keccak256, parseSignature, toHex as toHexNumber, toRlp } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool, type Pool } from '../src/index.ts';

let network: TestNetwork;
let pool: Pool;
let spec: ChainSpec;
beforeEach(async () => {
  network = await createTestNetwork();
  ({ spec } = network);
  pool = network.sequencer.node.pool as Pool;
});
afterEach(() => network.close());

const MNEMONIC = 'test test test test test test test test test test test junk';
const SOMEONE = '0x00000000000000000000000000000000000000aa';
const GWEI = 10n ** 9n;
const accountAt = (index: number) => mnemonicToAccount(MNEMONIC, { addressIndex: index });
const addressAt = (index: number): Uint8Array => fromHex(accountAt(index).address);
const BALANCE = 10_000n * 10n ** 18n;

interface Request {
  nonce?: number;
  tip?: bigint;
  cap?: bigint;
  value?: bigint;
  gas?: bigint;
  chainId?: number;
  /** Of a contract creation. */
  data?: Uint8Array;
}

async function sign(index: number, request: Request = {}): Promise<Uint8Array> {
  const { nonce = 0, tip = GWEI, cap = 10n * GWEI, value = 1n, gas = 21_000n, chainId = spec.genesis.chainId, data } = request;
  const target = data === undefined ? ({ to: SOMEONE } as const) : { data: toHex(data) };
  const fees = { maxFeePerGas: cap, maxPriorityFeePerGas: tip };
  return fromHex(await accountAt(index).signTransaction({ chainId, type: 'eip1559', nonce, gas, value, ...target, ...fees }));
}

const submit = async (index: number, request: Request = {}): Promise<Hex> => toHex(await pool.submit(await sign(index, request)));

/** The words with which a transaction is refused. */
async function refusal(submitted: Promise<unknown>): Promise<string> {
  try {
    await submitted;
  } catch (error) {
    if (!isHemidError(error)) throw error;
    return error.message;
  }
  return 'accepted';
}

const hashesOf = ({ block }: SealedBlock): Hex[] =>
  block.transactions.filter((raw) => !isSystemEnvelope(raw)).map((raw) => toHex(hashTransaction(raw)));

/** What a cursor gives, as hashes. */
function candidates(baseFee = 10_000_000n): Hex[] {
  const cursor = pool.candidates(baseFee);
  const all: Hex[] = [];
  for (let next = cursor.next(); next !== undefined; next = cursor.next()) all.push(toHex(next.hash));
  return all;
}

test('a transaction is refused in the words of geth', async () => {
  const raw = await sign(0);
  await pool.submit(raw);
  expect(await refusal(pool.submit(raw))).toBe('already known');
  await network.sequencer.build();
  expect(await refusal(submit(0, { value: 2n }))).toBe('nonce too low: next nonce 1, tx nonce 0');
  const cost = BALANCE + 21_000n * 10n * GWEI;
  expect(await refusal(submit(1, { value: BALANCE }))).toBe(
    `insufficient funds for gas * price + value: balance ${BALANCE}, tx cost ${cost}, overshot ${cost - BALANCE}`,
  );
  expect(await refusal(submit(1, { gas: 20_999n }))).toBe('intrinsic gas too low: gas 20999, minimum needed 21000');
  expect(await refusal(submit(1, { gas: 16_777_217n }))).toBe('transaction gas limit too high (cap: 16777216, tx: 16777217)');
  expect(await refusal(pool.submit(Uint8Array.of(0x05, 0xc0)))).toBe('transaction type not supported');
  expect(await refusal(pool.submit(new Uint8Array()))).toBe('transaction type not supported');
  expect(await refusal(pool.submit(Uint8Array.of(0x03, 0xc0)))).toMatch(/^transaction type not supported: .*blob/);
  for (const type of [0x7c, 0x7d, 0x7e])
    expect(await refusal(pool.submit(Uint8Array.of(type, 0xc0)))).toMatch(/^transaction type not supported: system/);
  expect(await refusal(pool.submit(Uint8Array.of(0x02, 0x01)))).toMatch(/^rlp: /);
  expect(await refusal(submit(1, { chainId: 1 }))).toBe('invalid sender: invalid chain id for signer');
  expect(await refusal(submit(1, { data: new Uint8Array(49_153), gas: 5_000_000n }))).toBe(
    'max initcode size exceeded: code size 49153, limit 49152',
  );
  expect(pool.counts()).toEqual({ pending: 0, queued: 0 });
});

test('a tip above the fee cap is refused in the words of geth', async () => {
  // viem will not sign this one: its fields are chainId, nonce, tip, cap, gas, to, value, data, access list.
  const fields = [toHexNumber(spec.genesis.chainId), '0x', '0x02', '0x01', '0x5208', SOMEONE, '0x01', '0x', []] as const;
  const digest = keccak256(concat(['0x02', toRlp([...fields])]));
  const signature = parseSignature(await accountAt(1).sign({ hash: digest }));
  const signed = concat(['0x02', toRlp([...fields, signature.yParity === 0 ? '0x' : '0x01', signature.r, signature.s])]);
  expect(await refusal(pool.submit(fromHex(signed)))).toMatch(/^max priority fee per gas higher than max fee per gas/);
});

test('a replacement must raise both fees by ten percent, no wei less', async () => {
  const first = await submit(0, { tip: 1_000n, cap: 10n * GWEI });
  for (const [tip, cap] of [
    [1_099n, 11n * GWEI],
    [1_100n, 11n * GWEI - 1n],
    [5_000n, 10n * GWEI],
    [1_000n, 50n * GWEI],
  ] as const) {
    expect(await refusal(submit(0, { tip, cap, value: 2n }))).toBe('replacement transaction underpriced');
    expect(candidates()).toEqual([first]);
  }
  const second = await submit(0, { tip: 1_100n, cap: 11n * GWEI, value: 2n });
  expect(candidates()).toEqual([second]);
  expect(pool.read(fromHex(first))).toBeUndefined();
  expect(pool.counts()).toEqual({ pending: 1, queued: 0 });
  expect(hashesOf(await network.sequencer.build())).toEqual([second]);
});

test('a transaction that is replaced leaves the later ones of its sender where they are', async () => {
  await submit(0, { nonce: 0 });
  const later = await submit(0, { nonce: 1 });
  const better = await submit(0, { nonce: 0, tip: 2n * GWEI, cap: 20n * GWEI });
  expect(candidates()).toEqual([better, later]);
});

test('a transaction behind a gap waits until the gap is closed', async () => {
  const third = await submit(0, { nonce: 2 });
  const fourth = await submit(0, { nonce: 3 });
  expect(pool.counts()).toEqual({ pending: 0, queued: 2 });
  expect(await pool.nonce(addressAt(0))).toBe(0n);
  expect(candidates()).toEqual([]);
  const first = await submit(0, { nonce: 0 });
  expect(pool.counts()).toEqual({ pending: 1, queued: 2 });
  expect(await pool.nonce(addressAt(0))).toBe(1n);
  expect(hashesOf(await network.sequencer.build())).toEqual([first]);
  expect(pool.counts()).toEqual({ pending: 0, queued: 2 });
  const second = await submit(0, { nonce: 1 });
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
  expect(await pool.nonce(addressAt(0))).toBe(4n);
  expect(hashesOf(await network.sequencer.build())).toEqual([second, third, fourth]);
});

test('the highest tip goes first, but the nonces of a sender stay in order', async () => {
  const a0 = await submit(0, { nonce: 0, tip: 10n });
  const a1 = await submit(0, { nonce: 1, tip: 100n });
  const b0 = await submit(1, { nonce: 0, tip: 50n });
  const b1 = await submit(1, { nonce: 1, tip: 5n });
  const c0 = await submit(2, { nonce: 0, tip: 20n });
  const order = [b0, c0, a0, a1, b1];
  expect(candidates()).toEqual(order);
  expect(hashesOf(await network.sequencer.build())).toEqual(order);
});

test('what counts is the tip that is left under the fee cap at the base fee', async () => {
  const capped = await submit(0, { tip: 100n, cap: 1_010n });
  const plain = await submit(1, { tip: 50n, cap: GWEI });
  expect(candidates(1_000n)).toEqual([plain, capped]);
  expect(candidates(900n)).toEqual([capped, plain]);
});

test('a transaction under the base fee waits, and those behind it too', async () => {
  await submit(0, { nonce: 0, cap: 999n, tip: 1n });
  await submit(0, { nonce: 1, cap: GWEI });
  const other = await submit(1, { nonce: 0, cap: 1_000n, tip: 0n });
  expect(candidates(1_000n)).toEqual([other]);
  expect(candidates(999n)).toHaveLength(3);
  await network.sequencer.build();
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
});

test('after a transaction that could not be taken no later one of its sender is given', async () => {
  const a0 = await submit(0, { nonce: 0, tip: 10n });
  await submit(0, { nonce: 1, tip: 10n });
  const b0 = await submit(1, { tip: 5n });
  const cursor = pool.candidates(0n);
  expect(toHex(cursor.next()?.hash as Uint8Array)).toBe(a0);
  cursor.skipSender();
  expect(toHex(cursor.next()?.hash as Uint8Array)).toBe(b0);
  expect(cursor.next()).toBeUndefined();
});

test('a transaction that its sender can pay no more is dropped when a block is built, the ones behind it wait', async () => {
  const most = (BALANCE * 2n) / 3n;
  const first = await submit(0, { nonce: 0, value: most });
  const second = await submit(0, { nonce: 1, value: most });
  await submit(0, { nonce: 2 });
  expect(pool.counts()).toEqual({ pending: 3, queued: 0 });
  expect(hashesOf(await network.sequencer.build())).toEqual([first]);
  expect(pool.read(fromHex(second))).toBeUndefined();
  expect(pool.counts()).toEqual({ pending: 0, queued: 1 });
});

test('a transaction that does not fit into a block waits for the next, while smaller ones of others go', async () => {
  const gas = 16_000_000n;
  const first = await submit(0, { gas, tip: 30n });
  // It uses 21,000 of its gas; what counts for the second is its limit.
  const second = await submit(1, { gas, tip: 20n });
  const small = await submit(2, { tip: 10n });
  const { execution } = network.sequencer.node.chain;
  expect(execution.spec.genesis.gasLimit).toBe(30_000_000n);
  expect(hashesOf(await network.sequencer.build())).toEqual([first, second, small]);
});

test('what the chain has taken leaves the pool, also by another transaction of that nonce', async () => {
  const verifier = await network.createVerifier();
  const { chain } = verifier.node;
  const mine = createPool({ chain: chain as ChainReader, common: chain.execution.common, log: silentLogger });
  const following: Promise<void>[] = [];
  chain.onHead((change) => following.push(mine.follow(change)));
  const same = await sign(0);
  const rival = await sign(1, { value: 7n });
  const later = await sign(1, { nonce: 1 });
  await mine.submit(same);
  await mine.submit(rival);
  await mine.submit(later);
  await pool.submit(same);
  await submit(1, { value: 8n });
  await network.sequencer.build();
  await verifier.sync();
  await Promise.all(following);
  expect(mine.read(hashTransaction(same))).toBeUndefined();
  expect(mine.read(hashTransaction(rival))).toBeUndefined();
  expect(mine.read(hashTransaction(later))).toBeDefined();
  expect(mine.counts()).toEqual({ pending: 1, queued: 0 });
  expect(await mine.nonce(addressAt(1))).toBe(2n);
});

test('those who listen hear of each new transaction once, until they stop', async () => {
  const heard: Hex[] = [];
  const stop = pool.onTransaction(({ hash }) => heard.push(toHex(hash)));
  const first = await submit(0);
  await refusal(submit(0));
  stop();
  await submit(1);
  expect(heard).toEqual([first]);
});

test('the same transaction handed in twice at once is known the second time', async () => {
  const raw = await sign(0);
  const answers = await Promise.all([refusal(pool.submit(raw)), refusal(pool.submit(raw))]);
  expect(answers.sort()).toEqual(['accepted', 'already known']);
  expect(pool.counts()).toEqual({ pending: 1, queued: 0 });
});
