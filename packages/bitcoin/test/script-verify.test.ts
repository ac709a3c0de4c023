import { concat, fromHex, toDigits } from '@hemid/protocol';
import { buildTransaction, createBitcoinWallet, multisigOf, signTransaction, type WalletCoin } from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';
import { describe, expect, it } from 'vitest';
import { type ScriptRules, verifyInput } from '../src/regtest/script-verify.ts';
import { readScriptForm } from '../src/script-form.ts';
import { isLowS, isStrictDer, verifyEcdsa, verifySchnorr } from '../src/signature.ts';

const nobody = async (): Promise<never> => Promise.reject(new Error('no node is needed here'));
const wallet = (secret: string) => createBitcoinWallet({ rpc: nobody, secret });
const [alice, bob, carol] = [wallet('alice'), wallet('bob'), wallet('carol')];
const shared = multisigOf(2, [alice.publicKey, bob.publicKey, carol.publicKey]);
const coin = (script: Uint8Array, more: Partial<WalletCoin> = {}): WalletCoin => ({
  txid: '11'.repeat(32),
  vout: 0,
  valueSats: 100_000n,
  script,
  ...more,
});
const spend = (inputs: WalletCoin[]): Transaction => buildTransaction({ inputs, outputs: [{ to: bob.addresses.p2wpkh, valueSats: 90_000n }] });

function reason(tx: Transaction, coins: WalletCoin[], { index = 0, rules = 'consensus' as ScriptRules } = {}): string | undefined {
  const unspent = coins.map(({ valueSats, script }) => ({ valueSats, script, origin: 2 }));
  return verifyInput({ tx, index, coins: unspent, rules })?.reason;
}

describe('inputs', () => {
  const kinds: Record<string, { spent: WalletCoin; keys: Uint8Array[] }> = {
    p2pkh: { spent: coin(alice.scripts.p2pkh), keys: [alice.secretKey] },
    p2wpkh: { spent: coin(alice.scripts.p2wpkh), keys: [alice.secretKey] },
    p2tr: { spent: coin(alice.scripts.p2tr), keys: [alice.secretKey] },
    'p2wsh multisig': { spent: coin(shared.script, { witnessScript: shared.witnessScript }), keys: [alice.secretKey, carol.secretKey] },
  };

  for (const [kind, { spent, keys }] of Object.entries(kinds)) {
    it(`of ${kind} are spent by their keys, and by no other amount, output, key or signature`, () => {
      const good = signTransaction(spend([spent]), [spent], keys);
      expect(reason(good, [spent], { rules: 'policy' })).toBeUndefined();
      expect(reason(good, [spent])).toBeUndefined();
      const moved = good.clone();
      (moved.outs[0] as { value: bigint }).value += 1n;
      expect(reason(moved, [spent])).toBeDefined();
      // A scriptSig does not sign what it spends: that was segwit's first reason.
      if (kind !== 'p2pkh') expect(reason(good, [{ ...spent, valueSats: 100_001n }])).toBeDefined();
      const stranger = signTransaction(
        spend([spent]),
        [spent],
        keys.map(() => wallet('stranger').secretKey),
      );
      expect(reason(stranger, [spent])).toBeDefined();
      expect(reason(spend([spent]), [spent])).toBeDefined();
    });
  }

  it('of a multisig want its signatures in the order of its keys, and an empty first item', () => {
    const spent = coin(shared.script, { witnessScript: shared.witnessScript });
    const witness = (keys: Uint8Array[]): Uint8Array[] => signTransaction(spend([spent]), [spent], keys).ins[0]?.witness ?? [];
    const given = (items: Uint8Array[], rules: ScriptRules = 'consensus'): string | undefined => {
      const tx = spend([spent]);
      tx.setWitness(0, items);
      return reason(tx, [spent], { rules });
    };
    const good = witness([bob.secretKey, carol.secretKey]);
    expect(given(good)).toBeUndefined();
    expect(given(witness([carol.secretKey, bob.secretKey]))).toMatch(/false\/empty top stack element/);
    expect(given(witness([carol.secretKey, bob.secretKey]), 'policy')).toMatch(/Signature must be zero/);
    expect(given(witness([bob.secretKey, bob.secretKey]))).toMatch(/false\/empty top stack element/);
    expect(given(witness([bob.secretKey]))).toBe('Operation not valid with the current stack size');
    expect(given(good.with(0, Uint8Array.of(1)))).toBe('Dummy CHECKMULTISIG argument must be zero');
    expect(given([new Uint8Array(), ...good])).toBe('Stack size must be exactly one after execution');
    expect(given(good.with(-1, concat(shared.witnessScript, Uint8Array.of(0x61))))).toBe('Witness program hash mismatch');
    expect(given([])).toBe('Witness program was passed an empty witness');
  });

  it('of other kinds are refused by name', () => {
    const scripts = {
      scripthash: concat(Uint8Array.of(0xa9, 20), new Uint8Array(20), Uint8Array.of(0x87)),
      pubkey: concat(Uint8Array.of(33), alice.publicKey, Uint8Array.of(0xac)),
      multisig: shared.witnessScript,
      nonstandard: Uint8Array.of(0x51),
      witness_unknown: concat(Uint8Array.of(0x52, 32), new Uint8Array(32)),
    };
    for (const [name, script] of Object.entries(scripts)) {
      expect(reason(spend([coin(script)]), [coin(script)])).toBe(`spending a ${name} output is not supported by the embedded chain`);
    }
    const anyone = Uint8Array.of(0x51);
    const hidden = coin(concat(Uint8Array.of(0, 32), fromHex('4ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260')));
    const tx = spend([hidden]);
    tx.setWitness(0, [anyone]);
    expect(reason(tx, [hidden])).toBe('a P2WSH script that is nonstandard and not multisig is not supported by the embedded chain');
    const taproot = spend([coin(alice.scripts.p2tr)]);
    taproot.setWitness(0, [anyone, new Uint8Array(33)]);
    expect(reason(taproot, [coin(alice.scripts.p2tr)])).toBe('spending a taproot output by script is not supported by the embedded chain');
  });

  it('with a high S are valid in a block and not relayed', () => {
    const spent = coin(alice.scripts.p2pkh);
    const tx = signTransaction(spend([spent]), [spent], [alice.secretKey]);
    const script = tx.ins[0]?.script as Uint8Array;
    const signature = script.slice(1, 1 + (script[0] ?? 0));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const split = 4 + (signature[3] ?? 0);
    const s = order - BigInt(`0x${toDigits(signature.slice(split + 2, -1))}`);
    const body = concat(signature.slice(2, split), Uint8Array.of(2, 33, 0), fromHex(s.toString(16).padStart(64, '0')));
    const high = concat(Uint8Array.of(0x30, body.length), body, Uint8Array.of(1));
    tx.setInputScript(0, concat(Uint8Array.of(high.length), high, Uint8Array.of(33), alice.publicKey));
    expect(isStrictDer(high)).toBe(true);
    expect(isLowS(high)).toBe(false);
    expect(reason(tx, [spent])).toBeUndefined();
    expect(reason(tx, [spent], { rules: 'policy' })).toBe('Non-canonical signature: S value is unnecessarily high');
  });
});

describe('signatures', () => {
  const der = (r: number[], s: number[]): Uint8Array => {
    const body = [2, r.length, ...r, 2, s.length, ...s];
    return Uint8Array.of(0x30, body.length, ...body, 1);
  };

  it('have one DER form', () => {
    expect(isStrictDer(der([1], [1]))).toBe(true);
    expect(isStrictDer(der([0, 0x80], [1]))).toBe(true);
    for (const wrong of [der([], [1]), der([1], []), der([0, 1], [1]), der([0x80], [1]), der([1], [0, 0x7f]), der([1], [0xff])]) {
      expect(isStrictDer(wrong)).toBe(false);
    }
    const good = der([1], [1]);
    for (let i = 0; i < good.length - 1; i += 1) {
      if (i === 4 || i === 7) continue;
      expect(isStrictDer(good.map((byte, at) => (at === i ? byte + 1 : byte)))).toBe(false);
    }
    expect(isStrictDer(concat(good, Uint8Array.of(0)))).toBe(false);
  });

  it('under keys and with numbers that are none are wrong and do not throw', () => {
    const digest = new Uint8Array(32).fill(3);
    const offCurve = concat(Uint8Array.of(2), new Uint8Array(32).fill(0xff));
    expect(verifyEcdsa(der([1], [1]), digest, offCurve)).toBe(false);
    expect(verifyEcdsa(der([0], [1]), digest, alice.publicKey)).toBe(false);
    expect(verifyEcdsa(der([0, ...new Array<number>(32).fill(0xff)], [1]), digest, alice.publicKey)).toBe(false);
    expect(verifyEcdsa(der([1], [1]), digest, new Uint8Array(5))).toBe(false);
    expect(verifySchnorr(new Uint8Array(64), digest, new Uint8Array(32).fill(0xff))).toBe(false);
  });
});

describe('output scripts', () => {
  it('that almost have a known form are nonstandard', () => {
    for (const script of ['', '51', 'ff', '76a914', `a914${'00'.repeat(20)}88`, `00${'15'}${'00'.repeat(21)}`, `51${'21'}${'02'.repeat(33)}52ae`]) {
      expect(readScriptForm(fromHex(script)).type).toBe('nonstandard');
    }
    expect(readScriptForm(fromHex('6a')).type).toBe('nulldata');
    expect(readScriptForm(fromHex('6aac')).type).toBe('nonstandard');
    expect(readScriptForm(fromHex('51024e73')).type).toBe('anchor');
  });
});
