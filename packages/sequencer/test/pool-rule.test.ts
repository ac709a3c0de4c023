import { isHemidError } from '@hemid/protocol';
import { expect, test } from 'vitest';
import { checkReplacement, checkSender } from '../src/pool-rule.ts';

function wordsOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    if (isHemidError(error)) return error.message;
    throw error;
  }
  return 'fine';
}

const tx = { nonce: 5n, gasLimit: 21_000n, gasPrice: 2n, value: 10n };
const transaction = { tx } as never;

test('a transaction that asks for more gas than a block has is refused in the words of geth', () => {
  const state = { nonce: 5n, balance: 42_010n };
  expect(wordsOf(() => checkSender(transaction, state, 20_999n))).toBe('exceeds block gas limit');
  expect(wordsOf(() => checkSender(transaction, state, 21_000n))).toBe('fine');
});

test('a sender must own every wei of what a transaction can cost', () => {
  expect(wordsOf(() => checkSender(transaction, { nonce: 5n, balance: 42_009n }, 30_000n))).toBe(
    'insufficient funds for gas * price + value: balance 42009, tx cost 42010, overshot 1',
  );
  expect(wordsOf(() => checkSender(transaction, { nonce: 6n, balance: 42_009n }, 30_000n))).toBe('nonce too low: next nonce 6, tx nonce 5');
});

const price = (tip: bigint, cap: bigint) => ({ tip, cap, slack: cap - tip, arrival: 0, byPrice: -1, bySlack: -1 });

test('a replacement pays more of both, be it only a wei where ten percent are less', () => {
  const refused = 'replacement transaction underpriced';
  expect(wordsOf(() => checkReplacement(price(0n, 9n), price(0n, 10n)))).toBe(refused);
  expect(wordsOf(() => checkReplacement(price(0n, 9n), price(1n, 9n)))).toBe(refused);
  expect(wordsOf(() => checkReplacement(price(0n, 9n), price(1n, 10n)))).toBe('fine');
  expect(wordsOf(() => checkReplacement(price(10n, 100n), price(11n, 109n)))).toBe(refused);
  expect(wordsOf(() => checkReplacement(price(10n, 100n), price(11n, 110n)))).toBe('fine');
});
