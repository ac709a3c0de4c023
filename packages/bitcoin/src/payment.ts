import { type BitcoinOutput, concat, fromDisplay, fromHex, toDigits } from '@hemid/protocol';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, sign } from '@noble/secp256k1';
import { script as bitcoinScript, crypto, Transaction } from 'bitcoinjs-lib';
import { fail } from './errors.ts';
import { satsFromBtc } from './rpc/bitcoin-amount.ts';
import type { BitcoinRpc } from './rpc/bitcoin-rpc.ts';
import { broadcast } from './source.ts';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

export interface Payment {
  /** Secret key of a P2WPKH address, 32 bytes. */
  secret: Uint8Array;
  outputs: readonly BitcoinOutput[];
  /** Sats per vbyte. */
  feeRate: number;
}

interface ScannedCoin {
  txid: string;
  vout: number;
  amount: number;
  coinbase: boolean;
  height: number;
}

const COINBASE_MATURITY = 100;
const DUST_SATS = 294n;
const REPLACEABLE = 0xfffffffd;
const SIGNATURE_SIZE = 72;

/** The P2WPKH script of a compressed public key. */
export function p2wpkhScript(publicKey: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0x00, 20), crypto.hash160(publicKey));
}

/** The smallest confirmed, mature coin that no mempool transaction spends and that is worth at least `sats`. */
async function findCoin(rpc: BitcoinRpc, script: Uint8Array, sats: bigint): Promise<{ coin: ScannedCoin; valueSats: bigint }> {
  const scan = (await rpc('scantxoutset', ['start', [`raw(${toDigits(script)})`]])) as { height: number; unspents: ScannedCoin[] };
  const usable = scan.unspents
    .filter((coin) => !coin.coinbase || scan.height - coin.height + 1 >= COINBASE_MATURITY)
    .map((coin) => ({ coin, valueSats: satsFromBtc(coin.amount) }))
    .filter(({ valueSats }) => valueSats >= sats)
    .sort((a, b) => Number(a.valueSats - b.valueSats));
  for (const candidate of usable) {
    const out = await rpc('gettxout', [candidate.coin.txid, candidate.coin.vout, true]);
    if (out !== null) return candidate;
  }
  throw fail('bitcoin/no-coin', `no spendable coin of ${sats} satoshis or more belongs to the paying key`);
}

/**
 * Pays outputs from one coin of a key's P2WPKH address, change back to it, and broadcasts.
 *
 * @returns the txid, internal order.
 * @throws `bitcoin/no-coin` (retry) when no single coin is enough; `bitcoin/rpc` when the node refuses the payment.
 */
export async function pay(rpc: BitcoinRpc, { secret, outputs, feeRate }: Payment): Promise<Uint8Array> {
  const publicKey = getPublicKey(secret);
  const script = p2wpkhScript(publicKey);
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.addInput(new Uint8Array(32), 0, REPLACEABLE);
  transaction.setWitness(0, [new Uint8Array(SIGNATURE_SIZE), publicKey]);
  for (const output of outputs) transaction.addOutput(output.script, output.valueSats);
  transaction.addOutput(script, 0n);
  const feeSats = BigInt(Math.ceil(transaction.virtualSize() * feeRate));
  const paid = outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n);
  const { coin, valueSats } = await findCoin(rpc, script, paid + feeSats + DUST_SATS);
  transaction.ins[0] = { ...transaction.ins[0], hash: fromDisplay(coin.txid), index: coin.vout } as (typeof transaction.ins)[0];
  const change = transaction.outs[transaction.outs.length - 1];
  if (change !== undefined) change.value = valueSats - paid - feeSats;
  const scriptCode = concat(fromHex('76a914'), script.subarray(2), fromHex('88ac'));
  const digest = transaction.hashForWitnessV0(0, scriptCode, valueSats, Transaction.SIGHASH_ALL);
  const signature = bitcoinScript.signature.encode(sign(digest, secret, { prehash: false }), Transaction.SIGHASH_ALL);
  transaction.setWitness(0, [signature, publicKey]);
  return broadcast(rpc, transaction.toBuffer());
}
