import type { BitcoinOutput } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import type { WithdrawalRequest } from '../tunnel-contract.ts';
import { encodeMark } from '../vault-spend.ts';

/** An output of the vault. */
export interface VaultCoin {
  /** Internal order. */
  txid: Uint8Array;
  vout: number;
  valueSats: bigint;
}

/** Some requests and the vault's coins that pay them; input 0 is the first coin. */
export interface Batch {
  requests: readonly WithdrawalRequest[];
  coins: readonly VaultCoin[];
  /** Script of the vault, which has all these coins and gets the change. */
  vault: Uint8Array;
}

const REPLACEABLE = 0xfffffffd;

/** The Bitcoin transaction of a batch, unsigned (protocol section 10): payments, change, mark. The same batch, the same bytes. */
export function toUnsigned({ requests, coins, vault }: Batch): Transaction {
  const first = requests[0] as WithdrawalRequest;
  const has = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n);
  const taken = requests.reduce((sum, { sats }) => sum + sats, 0n);
  const outputs: BitcoinOutput[] = [
    ...requests.map(({ sats, feeSats, script }) => ({ valueSats: sats - feeSats, script })),
    { valueSats: has - taken, script: vault },
    { valueSats: 0n, script: encodeMark(first.id, requests.length) },
  ];
  const transaction = new Transaction();
  transaction.version = 2;
  for (const { txid, vout } of coins) transaction.addInput(txid, vout, REPLACEABLE);
  for (const { script, valueSats } of outputs) transaction.addOutput(script, valueSats);
  return transaction;
}
