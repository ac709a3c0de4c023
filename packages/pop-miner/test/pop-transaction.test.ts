import { btcFromSats } from '@hemid/bitcoin';
import { type AddressKind, createPopWallet, readPopSecret } from '@hemid/pop-miner';
import { abbreviate, concat, encodePopScript, fromHex, type Keystone, readMiner, toDigits, toDisplay } from '@hemid/protocol';
import { type Bitcoind, startBitcoind } from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import bs58check from 'bs58check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Coin } from '../src/coin.ts';
import { buildPopTransaction, popVsize } from '../src/pop-transaction.ts';
import { createKeystoneHolder } from './keystone-holder.ts';

/** The public miner's test key, 31 bytes: its addresses are known from the public network. */
const SECRET = '5e2deaa9f1bb2bcef294cc36513c591c5594d6b671fe83a104aa2708bc634c';
const KINDS: AddressKind[] = ['p2wpkh', 'p2pkh'];

const walletOf = (kind: AddressKind) => createPopWallet(readPopSecret(SECRET), { network: 'regtest', kind });
const coinAt = (fill: number, vout = 1): Coin => ({
  txid: new Uint8Array(32).fill(fill),
  vout,
  valueSats: 10_000n,
  isCoinbase: false,
  height: 1,
  unconfirmed: 0,
});
const keystone: Keystone = createKeystoneHolder().make(25, '00'.repeat(32));
const popScriptOf = (of: Keystone): Uint8Array => encodePopScript(abbreviate(of));
const popScript = popScriptOf(keystone);

describe('the wallet', () => {
  it('has the addresses and the reward address that the public network gives its key', () => {
    expect(walletOf('p2pkh').address).toBe('muvUEBSz67gTcdmNA78wvZZTfNpxkFA3aV');
    expect(toDigits(walletOf('p2wpkh').script)).toBe('00149e0450a9c1551005f253399c07e22842d5c7e79e');
    expect(walletOf('p2wpkh').address).toMatch(/^bcrt1q/);
    for (const kind of KINDS) expect(toDigits(walletOf(kind).miner)).toBe('e2b80e87c78a326c0cb3db3437afcc66495f4c0f');
  });

  it('takes any big-endian integer below the order for a secret, and shows none in an error', () => {
    expect(toDigits(readPopSecret(`0x00${SECRET}`).reveal())).toBe(`00${SECRET}`);
    expect(String(readPopSecret(SECRET))).toBe('[secret]');
    for (const text of ['', '00', 'ff'.repeat(32), `${SECRET}0000`, 'not hex', '123']) {
      expect(() => readPopSecret(text)).toThrow(expect.objectContaining({ code: 'pop-miner/secret' }));
    }
  });
});

describe.each(KINDS)('a publication that spends %s', (kind) => {
  const wallet = walletOf(kind);

  it('has version 2, the change first, the keystone after it, and signals replaceability', () => {
    const tx = Transaction.fromBuffer(buildPopTransaction(wallet, { popScript, coins: [coinAt(1), coinAt(2, 0)], change: [9000n] }).raw);
    expect([tx.version, tx.locktime, tx.ins.map(({ sequence }) => sequence)]).toEqual([2, 0, [0xfffffffd, 0xfffffffd]]);
    expect(tx.ins.map(({ hash, index }) => [hash[0], index])).toEqual([
      [1, 1],
      [2, 0],
    ]);
    expect(tx.outs.map(({ value, script }) => [value, toDigits(script)])).toEqual([
      [9000n, toDigits(wallet.script)],
      [0n, toDigits(popScript)],
    ]);
  });

  it('has the keystone alone when there is no change', () => {
    const tx = Transaction.fromBuffer(buildPopTransaction(wallet, { popScript, coins: [coinAt(1)], change: [] }).raw);
    expect(tx.outs.map(({ script }) => script.length)).toEqual([83]);
  });

  it('always pays its miner, has the size that was foreseen, and the same bytes when made again', () => {
    for (let i = 0; i < 40; i += 1) {
      const plan = { popScript: popScriptOf({ ...keystone, l2BlockNumber: i }), coins: [coinAt(i), coinAt(i, 0)], change: [BigInt(1000 + i)] };
      const { raw, vsize, txid } = buildPopTransaction(wallet, plan);
      const tx = Transaction.fromBuffer(raw);
      const [input] = tx.ins;
      expect(toDigits(readMiner({ scriptSig: input?.script ?? raw, witness: input?.witness ?? [] }) ?? raw)).toBe(toDigits(wallet.miner));
      expect(vsize).toBe(popVsize(wallet, { inputs: 2, change: 1 }));
      expect(vsize).toBe(tx.virtualSize());
      expect(toDisplay(txid)).toBe(tx.getId());
      if (kind === 'p2pkh') expect(input?.script[0]).toBe(71);
      expect(toDigits(buildPopTransaction(wallet, plan).raw)).toBe(toDigits(raw));
    }
  });
});

describe('a publication signed by bitcoind', () => {
  let bitcoind: Bitcoind;
  beforeAll(async () => {
    bitcoind = await startBitcoind();
  });
  afterAll(() => bitcoind.stop());

  it.each(KINDS)('has the same bytes: %s', async (kind) => {
    const wallet = walletOf(kind);
    const key = bs58check.encode(concat(Uint8Array.of(0xef), fromHex(`00${SECRET}`), Uint8Array.of(1)));
    for (let i = 1; i <= 8; i += 1) {
      const coins = [coinAt(i), coinAt(i, 0)];
      const { raw } = buildPopTransaction(wallet, { popScript, coins, change: [9000n] });
      const blank = Transaction.fromBuffer(raw);
      for (const index of coins.keys()) {
        blank.setInputScript(index, new Uint8Array());
        blank.setWitness(index, []);
      }
      const previous = coins.map(({ txid, vout, valueSats }) => ({
        txid: toDisplay(txid),
        vout,
        scriptPubKey: toDigits(wallet.script),
        amount: btcFromSats(valueSats),
      }));
      expect(await bitcoind.rpc('signrawtransactionwithkey', [blank.toHex(), [key], previous])).toMatchObject({ hex: toDigits(raw), complete: true });
    }
  });
});
