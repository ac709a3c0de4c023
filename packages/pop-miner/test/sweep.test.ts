import { type AddressKind, buildSweep, type Coin, createPopWallet } from '@hemid/pop-miner';
import { addressToScript, toDigits, toDisplay } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { type Bitcoind, createBitcoinWallet, startBitcoind } from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SECRET = new Uint8Array(32).fill(9);
const TARGET = addressToScript('bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202', 'regtest') as Uint8Array;
const walletOf = (kind: AddressKind) => createPopWallet(new Secret(SECRET), { network: 'regtest', kind });
const coinOf = (vout: number, valueSats: bigint, unconfirmed = 0): Coin => ({
  txid: new Uint8Array(32).fill(3),
  vout,
  valueSats,
  isCoinbase: false,
  height: unconfirmed === 0 ? 1 : undefined,
  unconfirmed,
});
const sweep = (coins: Coin[], feeRate: bigint) => buildSweep(walletOf('p2wpkh'), { spendable: coins, script: TARGET, feeRate });

describe('a sweep', () => {
  it('takes every coin that is worth more than its fee, and pays for its exact size', () => {
    const built = sweep([coinOf(0, 5000n), coinOf(1, 90n), coinOf(2, 7000n)], 2000n);
    expect(built?.coins.map(({ vout }) => vout)).toEqual([2, 0]);
    const tx = Transaction.fromBuffer(built?.raw ?? new Uint8Array());
    expect(tx.outs).toEqual([{ script: TARGET, value: 12_000n - 2n * BigInt(tx.virtualSize()) }]);
    expect([built?.valueSats, built?.feeSats]).toEqual([tx.outs[0]?.value, 2n * BigInt(tx.virtualSize())]);
  });

  it('is none when nothing, or dust, would arrive', () => {
    expect(sweep([], 1000n)).toBeUndefined();
    expect(sweep([coinOf(0, 60n)], 1000n)).toBeUndefined();
    expect(sweep([coinOf(0, 655n)], 1000n)).toBeUndefined();
    expect(sweep([coinOf(0, 656n)], 1000n)?.valueSats).toBe(546n);
  });

  it('takes the 200 most valuable of very many coins, and few unconfirmed ones', () => {
    const many = sweep(
      Array.from({ length: 300 }, (_, i) => coinOf(i, 10_000n + BigInt(i))),
      1000n,
    );
    expect(many?.coins.map(({ vout }) => vout)).toEqual(Array.from({ length: 200 }, (_, i) => 299 - i));
    const chained = sweep([coinOf(0, 9000n, 15), coinOf(1, 8000n, 10), coinOf(2, 7000n, 5), coinOf(3, 6000n)], 1000n);
    expect(chained?.coins.map(({ vout }) => vout)).toEqual([0, 2, 3]);
  });
});

describe('on a real Bitcoin node, a sweep', () => {
  let bitcoind: Bitcoind;
  beforeAll(async () => {
    bitcoind = await startBitcoind();
  });
  afterAll(() => bitcoind?.stop());

  it.each(['p2wpkh', 'p2pkh'] as const)('empties a %s address', async (kind) => {
    const wallet = walletOf(kind);
    const treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'treasury' });
    await treasury.mine(101);
    const { txid } = await treasury.pay({ outputs: [1n, 2n, 3n].map((i) => ({ to: wallet.address, valueSats: i * 10_000n })) });
    await treasury.mine(1);
    const { vout } = (await bitcoind.rpc('getrawtransaction', [txid, 1])) as { vout: { value: number; scriptPubKey: { address?: string } }[] };
    const spendable = vout.flatMap(({ value, scriptPubKey }, n) =>
      scriptPubKey.address === wallet.address
        ? [{ ...coinOf(n, BigInt(Math.round(value * 1e8))), txid: Uint8Array.from(Buffer.from(txid, 'hex')).reverse() }]
        : [],
    );
    const built = buildSweep(wallet, { spendable, script: TARGET, feeRate: 1500n });
    expect(await bitcoind.rpc('sendrawtransaction', [toDigits(built?.raw ?? new Uint8Array())])).toBe(toDisplay(built?.txid ?? new Uint8Array()));
    await treasury.mine(1);
    const left = (await bitcoind.rpc('scantxoutset', ['start', [`addr(${wallet.address})`]])) as { total_amount: number };
    expect(left.total_amount).toBe(0);
  });
});
