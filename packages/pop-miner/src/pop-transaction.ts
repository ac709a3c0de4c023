import { script as bitcoinScript, Transaction } from 'bitcoinjs-lib';
import type { Coin } from './coin.ts';
import { type PopWallet, SIGNATURE_SIZE, toP2pkh } from './pop-wallet.ts';

/** What a publication is made of. */
export interface PopPlan {
  /** The output script that publishes, 83 bytes (protocol section 7). */
  popScript: Uint8Array;
  /** The inputs, in order; at least one. */
  coins: readonly Coin[];
  /** Values of the outputs that go back to the wallet, in sats. */
  change: readonly bigint[];
}

/** A signed publication. */
export interface PopTransaction {
  raw: Uint8Array;
  /** Internal order. */
  txid: Uint8Array;
  /** Virtual size in vbytes. */
  vsize: number;
}

/** Signals replaceability (BIP-125). */
const SEQUENCE = 0xfffffffd;
const VERSION = 2;
/** All publications are as long. */
const SOME_SCRIPT = new Uint8Array(83);
const SOME_COIN: Coin = { txid: new Uint8Array(32), vout: 0, valueSats: 0n, isCoinbase: false, height: 0, unconfirmed: 0 };

/** Builds and signs a publication: the change first, the keystone after it. The same plan gives the same bytes. */
export function buildPopTransaction(wallet: PopWallet, plan: PopPlan): PopTransaction {
  const transaction = assemble(wallet, plan);
  // A legacy digest leaves the other inputs' scripts out, so the order of signing does not matter.
  for (const [i, coin] of plan.coins.entries())
    unlock(transaction, i, { wallet, signature: wallet.sign(digestOf(transaction, i, { wallet, coin })) });
  return { raw: transaction.toBuffer(), txid: transaction.getHash(), vsize: transaction.virtualSize() };
}

/** The exact virtual size in vbytes of a publication with so many inputs, and outputs that go back to the wallet. */
export function popVsize(wallet: PopWallet, { inputs, change }: { inputs: number; change: number }): number {
  const coins = Array.from({ length: inputs }, () => SOME_COIN);
  const transaction = assemble(wallet, { popScript: SOME_SCRIPT, coins, change: Array.from({ length: change }, () => 1n) });
  for (const i of coins.keys()) unlock(transaction, i, { wallet, signature: new Uint8Array(SIGNATURE_SIZE) });
  return transaction.virtualSize();
}

function assemble(wallet: PopWallet, { popScript, coins, change }: PopPlan): Transaction {
  const transaction = new Transaction();
  transaction.version = VERSION;
  for (const { txid, vout } of coins) transaction.addInput(txid, vout, SEQUENCE);
  for (const valueSats of change) transaction.addOutput(wallet.script, valueSats);
  transaction.addOutput(popScript, 0n);
  return transaction;
}

function digestOf(transaction: Transaction, index: number, { wallet, coin }: { wallet: PopWallet; coin: Coin }): Uint8Array {
  const scriptCode = toP2pkh(wallet.keyHash);
  return wallet.kind === 'p2pkh'
    ? transaction.hashForSignature(index, scriptCode, Transaction.SIGHASH_ALL)
    : transaction.hashForWitnessV0(index, scriptCode, coin.valueSats, Transaction.SIGHASH_ALL);
}

function unlock(transaction: Transaction, index: number, { wallet, signature }: { wallet: PopWallet; signature: Uint8Array }): void {
  if (wallet.kind === 'p2pkh') transaction.setInputScript(index, bitcoinScript.compile([signature, wallet.publicKey]));
  else transaction.setWitness(index, [signature, wallet.publicKey]);
}
