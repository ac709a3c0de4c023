import { balance, confirmations, headerAt, input, lastHeader, output, script, transaction, unspent, witness } from '@hemid/hvm';
import { fromBigEndian, toHex } from '@hemid/protocol';

/** Ethereum's precompiles, as EIP-7910 calls them. */
const ETHEREUM: Record<string, string> = {
  '1': 'ECREC',
  '2': 'SHA256',
  '3': 'RIPEMD160',
  '4': 'ID',
  '5': 'MODEXP',
  '6': 'BN254_ADD',
  '7': 'BN254_MUL',
  '8': 'BN254_PAIRING',
  '9': 'BLAKE2F',
  '10': 'KZG_POINT_EVALUATION',
  '11': 'BLS12_G1ADD',
  '12': 'BLS12_G1MSM',
  '13': 'BLS12_G2ADD',
  '14': 'BLS12_G2MSM',
  '15': 'BLS12_PAIRING_CHECK',
  '16': 'BLS12_MAP_FP_TO_G1',
  '17': 'BLS12_MAP_FP2_TO_G2',
  '256': 'P256VERIFY',
};

/** The precompiles that look at Bitcoin. */
export const BITCOIN_PRECOMPILES: readonly { name: string; address: number }[] = [
  balance,
  unspent,
  transaction,
  confirmations,
  lastHeader,
  headerAt,
  script,
  input,
  output,
  witness,
];

/** The name of a precompile: Ethereum's, or that of one that looks at Bitcoin. */
export function precompileName(address: Uint8Array): string {
  const number = fromBigEndian(address);
  const bitcoin = BITCOIN_PRECOMPILES.find((one) => BigInt(one.address) === number);
  return ETHEREUM[number.toString()] ?? (bitcoin === undefined ? toHex(address) : `BITCOIN_${bitcoin.name.toUpperCase()}`);
}
