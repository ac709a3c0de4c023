import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { fromDisplay, fromHex } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { type Bitcoind, type BitcoinWallet, buildTransaction, createBitcoinWallet, signTransaction, startBitcoind } from '@hemid/testkit';
import { getPublicKey } from '@noble/secp256k1';
import type { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assemble, createBumper, signBatch, sortedMulti } from '../src/index.ts';

const secrets = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
const vault = sortedMulti(
  2,
  secrets.map((secret) => getPublicKey(secret)),
);
const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);
/** Outputs of a transaction that fills the mempool: about as many as are relayed. */
const FILLER_OUTPUTS = 3_100;

let bitcoind: Bitcoind;
let treasury: BitcoinWallet;
let wallet: BitcoinRpc;

beforeAll(async () => {
  // The smallest mempool there can be. A node of the tests has nothing to estimate fees from.
  bitcoind = await startBitcoind({ args: ['-maxmempool=5', '-minrelaytxfee=0.00001'] });
  treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'treasury' });
  await treasury.mine(160);
  await bitcoind.rpc('createwallet', ['custodian']);
  const { url, user, password } = bitcoind;
  wallet = createBitcoindRpc({ url: `${url}/wallet/custodian`, user, password: new Secret(password), timeoutMs: 30_000 });
  const address = (await wallet('getnewaddress', [])) as string;
  await treasury.pay({ outputs: Array.from({ length: 3 }, () => ({ to: address, valueSats: 1_000_000n })) });
  await treasury.mine(1);
});
afterAll(async () => bitcoind.stop());

const minimumRate = async (): Promise<number> => ((await bitcoind.rpc('getmempoolinfo', [])) as { mempoolminfee: number }).mempoolminfee * 1e5;
const pool = async (): Promise<string[]> => (await bitcoind.rpc('getrawmempool', [])) as string[];

/** A batch with one payment, on so many coins of the vault that are in a block; complete. */
async function createBatch(coins: number): Promise<Transaction> {
  const { txid } = await treasury.pay({ outputs: Array.from({ length: coins }, () => ({ to: vault.script, valueSats: 200_000n })) });
  await treasury.mine(1);
  const requests = [{ id: 1n, sats: 100_000n, feeSats: 1_500n, blockNumber: 1n, script: PAYEE }];
  const coinAt = (vout: number) => ({ txid: fromDisplay(txid), vout, valueSats: 200_000n });
  const signing = { batch: { requests, coins: Array.from({ length: coins }, (_, vout) => coinAt(vout)), vault: vault.script }, vault };
  return assemble(
    signing,
    secrets.slice(1).map((secret) => signBatch(signing, secret)),
  ) as Transaction;
}

/** Others want into blocks, and pay more and more for it, until the mempool asks for more than `rate` of whoever comes next. */
async function fillMempool(rate: number): Promise<void> {
  const many = Array.from({ length: FILLER_OUTPUTS }, () => ({ to: PAYEE, valueSats: 1_000n }));
  for (const [n, coin] of (await treasury.coins()).entries()) {
    const outputs = [...many, { to: treasury.addresses.p2wpkh, valueSats: coin.valueSats - BigInt(FILLER_OUTPUTS * (1_000 + 32 * (rate + n))) }];
    const filler = signTransaction(buildTransaction({ inputs: [coin], outputs }), [coin], [treasury.secretKey]);
    await bitcoind.rpc('sendrawtransaction', [filler.toHex()]);
    if ((await minimumRate()) > rate) return;
  }
  throw new Error(`the mempool still takes ${await minimumRate()} sats per vbyte`);
}

test('what no node takes, even with a child that pays for it, is not called bumped, and why is said', async () => {
  // Less than one sat per vbyte by itself: the least that a node relays, whatever a child pays.
  const batch = await createBatch(20);
  const bumper = createBumper({ bitcoin: bitcoind.rpc, wallet }, { afterBlocks: 3, maxSats: 50_000n });
  expect(await bumper.bump(batch)).toMatch(/^the Bitcoin node takes \w{64} not even with a child of \d+ sats: min relay fee not met/);
  expect(await pool()).toEqual([]);
});

test('a batch that is below the minimum of a full mempool goes in together with the child that pays for it', async () => {
  const batch = await createBatch(1);
  await fillMempool(20);
  await expect(bitcoind.rpc('sendrawtransaction', [batch.toHex()])).rejects.toThrow(/mempool min fee not met/);
  const bumper = createBumper({ bitcoin: bitcoind.rpc, wallet }, { afterBlocks: 3, maxSats: 50_000n });
  expect(await bumper.bump(batch)).toMatch(new RegExp(`^bumped ${batch.getId()} with \\d+ sats by `));
  expect(await pool()).toContain(batch.getId());
  const { fees, descendantsize } = (await bitcoind.rpc('getmempoolentry', [batch.getId()])) as {
    fees: { descendant: number };
    descendantsize: number;
  };
  expect((fees.descendant * 1e8) / descendantsize).toBeGreaterThanOrEqual(20);
  expect(await bumper.bump(batch)).toBeUndefined();
});
