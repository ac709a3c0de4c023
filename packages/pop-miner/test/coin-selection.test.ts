import { Secret } from '@hemid/runtime';
import { describe, expect, it } from 'vitest';
import type { Coin } from '../src/coin.ts';
import { selectCoins, spendableCoins } from '../src/coin-selection.ts';
import { createPopWallet } from '../src/pop-wallet.ts';

const wallet = createPopWallet(new Secret(new Uint8Array(32).fill(1)), { network: 'regtest', kind: 'p2wpkh' });
const legacy = createPopWallet(new Secret(new Uint8Array(32).fill(1)), { network: 'regtest', kind: 'p2pkh' });

let made = 0;
function coin(valueSats: number, more: Partial<Coin> = {}): Coin {
  made += 1;
  return { txid: new Uint8Array(32).fill(made), vout: 0, valueSats: BigInt(valueSats), isCoinbase: false, height: 1, unconfirmed: 0, ...more };
}

/** Sizes by BIP-141: 10.5 and one varint; 68 (41 and a quarter of 107) per input; 31 for the change; 92 for the keystone. */
const P2WPKH_ONE = Math.ceil(10.5 + 67.75 + 31 + 92);
const P2WPKH_TWO = Math.ceil(10.5 + 67.75 * 2 + 31 + 92);
/** 148 bytes less one for the ground signature. */
const P2PKH_ONE = 10 + 147 + 34 + 92;

describe('the choice of coins', () => {
  it('takes the largest confirmed coin that leaves a change', () => {
    const [small, large] = [coin(5000), coin(9000)];
    expect(selectCoins([small, coin(50_000, { height: undefined, unconfirmed: 1 }), large], { feeRate: 1000n, wallet })).toEqual({
      coins: [large],
      feeSats: BigInt(P2WPKH_ONE),
      changeSats: 9000n - BigInt(P2WPKH_ONE),
    });
  });

  it('knows the size of a legacy input', () => {
    expect(selectCoins([coin(9000)], { feeRate: 2000n, wallet: legacy })?.feeSats).toBe(BigInt(2 * P2PKH_ONE));
  });

  it('rounds the fee up', () => {
    expect(selectCoins([coin(9000)], { feeRate: 1001n, wallet })?.feeSats).toBe(BigInt(Math.ceil(P2WPKH_ONE * 1.001)));
  });

  it('takes unconfirmed change when no confirmed coin will do, the shortest chain first', () => {
    const [deep, shallow] = [coin(50_000, { height: undefined, unconfirmed: 5 }), coin(5000, { height: undefined, unconfirmed: 2 })];
    expect(selectCoins([coin(300), deep, shallow], { feeRate: 1000n, wallet })?.coins).toEqual([shallow]);
  });

  it('puts coins together when one is not enough', () => {
    const coins = [coin(400), coin(300)];
    expect(selectCoins(coins, { feeRate: 1000n, wallet })).toEqual({ coins, feeSats: BigInt(P2WPKH_TWO), changeSats: 700n - BigInt(P2WPKH_TWO) });
  });

  it('leaves coins out that cost more to spend than they bring', () => {
    const [confirmed, change] = [coin(320), coin(320, { height: undefined, unconfirmed: 1 })];
    expect(selectCoins([confirmed, coin(60), change], { feeRate: 1000n, wallet })?.coins).toEqual([confirmed, change]);
  });

  it('leaves no dust, and no publication without change: Knots would not relay it', () => {
    expect(selectCoins([coin(P2WPKH_ONE + 293)], { feeRate: 1000n, wallet })).toBeUndefined();
    expect(selectCoins([coin(P2WPKH_ONE + 294)], { feeRate: 1000n, wallet })?.changeSats).toBe(294n);
  });

  it('spends what is required first, and only confirmed coins beside it', () => {
    const [required, change, confirmed] = [coin(250), coin(50_000, { height: undefined, unconfirmed: 1 }), coin(400)];
    expect(selectCoins([change, confirmed, required], { feeRate: 1000n, wallet, required: [required] })?.coins).toEqual([required, confirmed]);
    expect(selectCoins([change, required], { feeRate: 1000n, wallet, required: [required] })).toBeUndefined();
  });

  it('pays for the parents of unconfirmed coins, and never less than the least fee', () => {
    const child = coin(5000, { height: undefined, unconfirmed: 1 });
    expect(selectCoins([child], { feeRate: 1000n, wallet, debtOf: () => 700n })?.feeSats).toBe(BigInt(P2WPKH_ONE) + 700n);
    expect(selectCoins([child], { feeRate: 1000n, wallet, leastFee: (vsize) => BigInt(vsize * 3) })?.feeSats).toBe(BigInt(P2WPKH_ONE * 3));
    expect(selectCoins([child], { feeRate: 1000n, wallet, debtOf: () => 4800n })).toBeUndefined();
  });

  it('has no answer when the coins do not pay the fee', () => {
    expect(selectCoins([], { feeRate: 1000n, wallet })).toBeUndefined();
    expect(selectCoins([coin(P2WPKH_ONE)], { feeRate: 1000n, wallet })).toBeUndefined();
    // Each costs more to spend than it brings.
    expect(
      selectCoins(
        Array.from({ length: 40 }, () => coin(60)),
        { feeRate: 1000n, wallet },
      ),
    ).toBeUndefined();
  });

  it('never joins chains of unconfirmed transactions to more than 20', () => {
    const [twelve, eight, seven] = [12, 8, 7].map((unconfirmed) => coin(300, { height: undefined, unconfirmed })) as [Coin, Coin, Coin];
    expect(selectCoins([twelve, eight], { feeRate: 1000n, wallet })).toBeUndefined();
    expect(selectCoins([twelve, seven], { feeRate: 1000n, wallet })?.coins).toEqual([seven, twelve]);
  });
});

describe('a spendable coin', () => {
  it('is mature and does not end a chain of 20', () => {
    const tip = 200;
    const good = [coin(1), coin(1, { isCoinbase: true, height: 101 }), coin(1, { height: undefined, unconfirmed: 19 })];
    const bad = [coin(1, { isCoinbase: true, height: 102 }), coin(1, { height: undefined, unconfirmed: 20 })];
    expect(spendableCoins([...good, ...bad], tip)).toEqual(good);
  });
});
