import { expect, test } from 'vitest';
import { addressToScript, scriptToAddress, toDigits } from '../src/index.ts';

/** Addresses of BIP-173 and BIP-350, and base58 ones of Bitcoin Core's documentation. */
const KNOWN: [string, 'mainnet' | 'signet' | 'regtest', string][] = [
  ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'mainnet', '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac'],
  ['3P14159f73E4gFr7JterCCQh9QjiTjiZrG', 'mainnet', 'a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87'],
  ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'mainnet', '0014751e76e8199196d454941c45d1b3a323f1433bd6'],
  [
    'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
    'signet',
    '00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262',
  ],
  [
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    'mainnet',
    '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  ],
];

test('known addresses decode to their scripts, and scripts to their addresses', () => {
  for (const [address, network, script] of KNOWN) {
    const decoded = addressToScript(address, network);
    expect(decoded && toDigits(decoded)).toBe(script);
    expect(decoded && scriptToAddress(decoded, network)).toBe(address);
  }
});

test('an address of another network, with a bad checksum, or of an unknown witness version does not decode', () => {
  expect(addressToScript('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'regtest')).toBeUndefined();
  expect(addressToScript('1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', 'mainnet')).toBeUndefined();
  expect(addressToScript('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5', 'mainnet')).toBeUndefined();
  expect(addressToScript('BC1SW50QGDZ25J', 'mainnet')).toBeUndefined();
  // BIP-350: version 1 with a bech32 (not bech32m) checksum.
  expect(addressToScript('bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4', 'mainnet')).toBeUndefined();
  expect(addressToScript('', 'mainnet')).toBeUndefined();
});
