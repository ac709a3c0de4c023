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
/** Pay-to-anchor (OP_1 `4e73`): anybody may spend it, with an empty witness. */
export const ANCHOR_SCRIPT: Uint8Array = Uint8Array.of(0x51, 0x02, 0x4e, 0x73);
/** The dust limit of such an output. */
const ANCHOR_SATS = 240n;
/** A batch that pays less than this for itself has no anchor: it would cost it too much of its fee. */
const LEAST_FEE_SATS = 4n * ANCHOR_SATS;

/**
 * The Bitcoin transaction of a batch, unsigned (protocol section 10): payments, change, an anchor to
 * bump it by, mark. The same batch, the same bytes.
 */
export function toUnsigned({ requests, coins, vault }: Batch): Transaction {
  const first = requests[0] as WithdrawalRequest;
  const has = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n);
  const taken = requests.reduce((sum, { sats }) => sum + sats, 0n);
  const fee = requests.reduce((sum, { feeSats }) => sum + feeSats, 0n);
  const outputs: BitcoinOutput[] = [
    ...requests.map(({ sats, feeSats, script }) => ({ valueSats: sats - feeSats, script })),
    { valueSats: has - taken, script: vault },
    ...(fee < LEAST_FEE_SATS ? [] : [{ valueSats: ANCHOR_SATS, script: ANCHOR_SCRIPT }]),
    { valueSats: 0n, script: encodeMark(first.id, requests.length) },
  ];
  const transaction = new Transaction();
  transaction.version = 2;
  for (const { txid, vout } of coins) transaction.addInput(txid, vout, REPLACEABLE);
  for (const { script, valueSats } of outputs) transaction.addOutput(script, valueSats);
  return transaction;
}
