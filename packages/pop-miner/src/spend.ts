import type { BitcoinOutput } from '@hemid/protocol';
import { script as bitcoinScript, Transaction } from 'bitcoinjs-lib';
import type { Coin } from './coin.ts';
import { type PopWallet, SIGNATURE_SIZE, toP2pkh } from './pop-wallet.ts';

/** A transaction that spends coins of the wallet. */
export interface Spend {
  /** The inputs, in order; at least one. */
  coins: readonly Coin[];
  outputs: readonly BitcoinOutput[];
}

/** A signed transaction. */
export interface SignedSpend {
  raw: Uint8Array;
  /** Internal order. */
  txid: Uint8Array;
  /** Virtual size in vbytes. */
  vsize: number;
}

/** Signals replaceability (BIP-125). */
const SEQUENCE = 0xfffffffd;
const VERSION = 2;

/** Builds and signs. The same spend gives the same bytes. */
export function spendCoins(wallet: PopWallet, spend: Spend): SignedSpend {
  const transaction = assemble(spend);
  // A legacy digest leaves the other inputs' scripts out, so the order of signing does not matter.
  for (const [i, { valueSats }] of spend.coins.entries()) {
    unlock(transaction, i, { wallet, signature: wallet.sign(digestOf(transaction, i, { wallet, valueSats })) });
  }
  return { raw: transaction.toBuffer(), txid: transaction.getHash(), vsize: transaction.virtualSize() };
}

/** The exact virtual size in vbytes that {@link spendCoins} gives. */
export function spendVsize(wallet: PopWallet, spend: Spend): number {
  const transaction = assemble(spend);
  for (const i of spend.coins.keys()) unlock(transaction, i, { wallet, signature: new Uint8Array(SIGNATURE_SIZE) });
  return transaction.virtualSize();
}

function assemble({ coins, outputs }: Spend): Transaction {
  const transaction = new Transaction();
  transaction.version = VERSION;
  for (const { txid, vout } of coins) transaction.addInput(txid, vout, SEQUENCE);
  for (const { script, valueSats } of outputs) transaction.addOutput(script, valueSats);
  return transaction;
}

function digestOf(transaction: Transaction, index: number, { wallet, valueSats }: { wallet: PopWallet; valueSats: bigint }): Uint8Array {
  const scriptCode = toP2pkh(wallet.keyHash);
  return wallet.kind === 'p2pkh'
    ? transaction.hashForSignature(index, scriptCode, Transaction.SIGHASH_ALL)
    : transaction.hashForWitnessV0(index, scriptCode, valueSats, Transaction.SIGHASH_ALL);
}

function unlock(transaction: Transaction, index: number, { wallet, signature }: { wallet: PopWallet; signature: Uint8Array }): void {
  if (wallet.kind === 'p2pkh') transaction.setInputScript(index, bitcoinScript.compile([signature, wallet.publicKey]));
  else transaction.setWitness(index, [signature, wallet.publicKey]);
}
