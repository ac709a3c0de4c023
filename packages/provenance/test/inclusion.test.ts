import { merkleRoot, toBitcoinTransaction } from '@hemid/bitcoin';
import { type BitcoinTransaction, encodeBitcoinHeader, isHemidError, sha256d } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyInclusion } from '../src/bitcoin-inclusion.ts';
import type { HeaderRun } from '../src/header-run.ts';
import { encodeStripped, proveInclusion } from '../src/merkle-branch.ts';
import type { BitcoinInclusion } from '../src/proof.ts';

/** A transaction unlike any other; the first one is a coinbase. */
function transactionOf(serial: number, script: Uint8Array = new Uint8Array(5)): BitcoinTransaction {
  const transaction = new Transaction();
  transaction.version = serial === 0 ? 1 : 2;
  transaction.locktime = serial;
  transaction.addInput(serial === 0 ? new Uint8Array(32) : new Uint8Array(32).fill(7), serial, 0xfffffffe, script);
  transaction.addOutput(new Uint8Array(serial % 300), BigInt(serial));
  if (serial % 2 === 1) transaction.setWitness(0, [new Uint8Array(70)]);
  return toBitcoinTransaction(transaction);
}

/** Headers of which the one at height 5 is that of a block with these transactions. */
function runOver(transactions: readonly BitcoinTransaction[]): HeaderRun {
  const { root } = merkleRoot(transactions.map(({ txid }) => txid));
  const header = encodeBitcoinHeader({ version: 4, previous: new Uint8Array(32), merkleRoot: root, time: 0, bits: 0, nonce: 0 });
  const place = { header, hash: sha256d(header), height: 5 };
  return { tip: place, work: 0n, at: (height) => (height === 5 ? place : undefined), heightOf: () => undefined };
}

function refusal(part: BitcoinInclusion, run: HeaderRun): string {
  try {
    verifyInclusion(part, run, 'lock');
  } catch (error) {
    if (isHemidError(error, 'provenance/lock')) return error.message;
    throw error;
  }
  return '';
}

test('every transaction but the coinbase is shown in blocks of every size', () => {
  for (const count of [2, 3, 4, 5, 7, 11, 17]) {
    const transactions = Array.from({ length: count }, (_, i) => transactionOf(i));
    const run = runOver(transactions);
    for (let index = 1; index < count; index += 1) {
      const part = proveInclusion(transactions, { height: 5, index });
      expect(verifyInclusion(part, run, 'lock').txid).toEqual(transactions[index]?.txid);
      expect(sha256d(part.transaction)).toEqual(transactions[index]?.txid);
      // No other index goes with the branch, also where a node is its own sibling.
      const others = Array.from({ length: 2 ** part.branch.length + 2 }, (_, i) => i).filter((i) => i !== index);
      expect(others.filter((other) => refusal({ ...part, index: other }, run) === '')).toEqual([]);
    }
    expect(refusal(proveInclusion(transactions, { height: 5, index: 0 }), run)).toMatch(/the coinbase is not the coinbase/);
  }
});

test('a branch of another depth, another block, a witness, or a transaction of 64 bytes shows nothing', () => {
  const transactions = Array.from({ length: 6 }, (_, i) => transactionOf(i));
  const run = runOver(transactions);
  const part = proveInclusion(transactions, { height: 5, index: 3 });
  expect(refusal({ ...part, height: 6 }, run)).toMatch(/no block at height 6/);
  expect(refusal({ ...part, branch: part.branch.slice(1) }, run)).toMatch(/not of one length/);
  expect(refusal({ ...part, branch: part.branch.slice(1), coinbaseBranch: part.coinbaseBranch.slice(1) }, run)).toMatch(
    /is not in the Bitcoin block/,
  );
  expect(refusal(proveInclusion(transactions.with(3, transactionOf(9)), { height: 5, index: 3 }), run)).toMatch(/is not in the Bitcoin block/);
  const whole = new Transaction();
  whole.addInput(new Uint8Array(32).fill(7), 1);
  whole.addOutput(new Uint8Array(), 1n);
  whole.setWitness(0, [new Uint8Array(70)]);
  expect(refusal({ ...part, transaction: Uint8Array.from(whole.toBuffer()) }, run)).toMatch(/not serialised without witnesses/);

  // A transaction with a script of four bytes has 64 bytes, as two hashes have: a branch could end at it or go on below.
  const small = transactionOf(300, new Uint8Array(4));
  expect(encodeStripped(small)).toHaveLength(64);
  const withSmall = transactions.with(3, small);
  expect(refusal(proveInclusion(withSmall, { height: 5, index: 3 }), runOver(withSmall))).toMatch(/of 64 bytes shows nothing/);
});

test('random transactions are written as their txid wants them', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.uint8Array({ maxLength: 300 }), (serial, script) => {
      const transaction = transactionOf(serial + 1, script);
      expect(sha256d(encodeStripped(transaction))).toEqual(transaction.txid);
    }),
  );
});
