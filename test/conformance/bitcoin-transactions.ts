import { checkTransaction, legacyDigest, toBitcoinTransaction, verifySchnorr } from '@hemid/bitcoin';
import { addressToScript, fromHex, scriptToAddress, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { serialiseTransaction } from './bitcoin-serialise.ts';
import type { SharedData } from './data.ts';
import { expectHex, expectSame } from './expect.ts';
import type { Report } from './report.ts';

/** Inputs, raw transaction, flags; or a comment. */
type TransactionRow = [unknown, string, string] | [string];

/** What is wrong with a raw transaction by itself, as a peer or a block would bring it: `undefined` if nothing. */
function faultOf(raw: string): string | undefined {
  let transaction: Transaction;
  try {
    transaction = Transaction.fromHex(raw);
  } catch (error) {
    return (error as Error).message;
  }
  return checkTransaction(transaction);
}

async function transactionRows(file: 'tx_valid' | 'tx_invalid', data: SharedData, report: Report): Promise<void> {
  const rows = data.json<TransactionRow[]>(`bitcoin/core/${file}.json`);
  for (const [i, row] of rows.entries()) {
    if (row.length !== 3) continue;
    const [, raw, flags] = row;
    if (file === 'tx_invalid' && flags === 'BADTX') {
      await report.check(`${file} ${i} is refused`, () => {
        if (faultOf(raw) === undefined) throw new Error('it was accepted');
      });
      continue;
    }
    await report.check(`${file} ${i} parses and is itself when serialised again`, () => {
      expectSame(faultOf(raw), undefined);
      const transaction = Transaction.fromHex(raw);
      expectHex(transaction.toBuffer(), raw);
      expectHex(serialiseTransaction(toBitcoinTransaction(transaction)), raw);
    });
  }
}

async function sighashes(data: SharedData, report: Report): Promise<void> {
  const rows = data.json<([string, string, number, number, string] | [string])[]>('bitcoin/core/sighash.json');
  for (const [i, row] of rows.entries()) {
    if (row.length !== 5) continue;
    const [raw, script, index, hashType, digest] = row;
    await report.check(`sighash ${i}`, () => expectSame(toDisplay(legacyDigest(Transaction.fromHex(raw), index, fromHex(script), hashType)), digest));
  }
}

interface TaprootVectors {
  scriptPubKey: { expected: { scriptPubKey: string; bip350Address: string } }[];
  keyPathSpending: {
    given: { rawUnsignedTx: string; utxosSpent: { scriptPubKey: string; amountSats: number }[] };
    inputSpending: {
      given: { txinIndex: number; hashType: number };
      intermediary: { sigHash: string };
      expected: { witness: string[] };
    }[];
    auxiliary?: { fullySignedTx: string };
  }[];
}

async function taproot(data: SharedData, report: Report): Promise<void> {
  const { scriptPubKey, keyPathSpending } = data.json<TaprootVectors>('bitcoin/core/bip341_wallet_vectors.json');
  for (const { expected } of scriptPubKey) {
    await report.check(`BIP341 address ${expected.bip350Address}`, () => {
      expectHex(addressToScript(expected.bip350Address, 'mainnet'), expected.scriptPubKey);
      expectSame(scriptToAddress(fromHex(expected.scriptPubKey), 'mainnet'), expected.bip350Address);
    });
  }
  for (const { given, inputSpending } of keyPathSpending) {
    const scripts = given.utxosSpent.map((output) => fromHex(output.scriptPubKey));
    const values = given.utxosSpent.map(({ amountSats }) => BigInt(amountSats));
    for (const { given: input, intermediary, expected } of inputSpending) {
      await report.check(`BIP341 key spend of input ${input.txinIndex}, hash type ${input.hashType}`, () => {
        const digest = Transaction.fromHex(given.rawUnsignedTx).hashForWitnessV1(input.txinIndex, scripts, values, input.hashType);
        expectHex(digest, intermediary.sigHash);
        const witness = fromHex(expected.witness[0] ?? '');
        expectSame([expected.witness.length, witness[64] ?? 0], [1, input.hashType]);
        const signature = witness.subarray(0, 64);
        const key = (scripts[input.txinIndex] as Uint8Array).subarray(2);
        expectSame(verifySchnorr(signature, digest, key), true);
        const changed = digest.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
        expectSame(verifySchnorr(signature, changed, key), false);
      });
    }
  }
  await report.check('BIP341 has addresses and key spends', () => expectSame([scriptPubKey.length > 0, keyPathSpending.length > 0], [true, true]));
}

/** Core's transactions, digests and taproot spends. */
export async function transactionCases(data: SharedData, report: Report): Promise<void> {
  await report.check('tx_valid.json', () => transactionRows('tx_valid', data, report));
  await report.check('tx_invalid.json', () => transactionRows('tx_invalid', data, report));
  await report.check('sighash.json', () => sighashes(data, report));
  await report.check('bip341_wallet_vectors.json', () => taproot(data, report));
}
