import { bech32, bech32m } from 'bech32';
import { encodeBase58Check, readBase58Check } from './base58check.ts';
import { concat } from './bytes.ts';

export type BitcoinNetwork = 'mainnet' | 'testnet4' | 'signet' | 'regtest';

interface AddressPrefix {
  p2pkh: number;
  p2sh: number;
  bech32: string;
}

const TEST = { p2pkh: 0x6f, p2sh: 0xc4 };
const PREFIXES: Record<BitcoinNetwork, AddressPrefix> = {
  mainnet: { p2pkh: 0x00, p2sh: 0x05, bech32: 'bc' },
  testnet4: { ...TEST, bech32: 'tb' },
  signet: { ...TEST, bech32: 'tb' },
  regtest: { ...TEST, bech32: 'bcrt' },
};

function fromBase58(address: string, prefix: AddressPrefix): Uint8Array | undefined {
  const payload = readBase58Check(address);
  if (payload?.length !== 21) return undefined;
  const hash = payload.slice(1);
  if (payload[0] === prefix.p2pkh) return concat(Uint8Array.of(0x76, 0xa9, 0x14), hash, Uint8Array.of(0x88, 0xac));
  if (payload[0] === prefix.p2sh) return concat(Uint8Array.of(0xa9, 0x14), hash, Uint8Array.of(0x87));
  return undefined;
}

function fromSegwit(address: string, prefix: AddressPrefix): Uint8Array | undefined {
  for (const encoding of [bech32, bech32m]) {
    const decoded = encoding.decodeUnsafe(address);
    if (decoded === undefined || decoded.prefix !== prefix.bech32) continue;
    const [version, ...words] = decoded.words;
    const bytes = encoding.fromWordsUnsafe(words);
    if (bytes === undefined) return undefined;
    const program = Uint8Array.from(bytes);
    if (encoding === bech32 && version === 0 && (program.length === 20 || program.length === 32)) {
      return concat(Uint8Array.of(0x00, program.length), program);
    }
    if (encoding === bech32m && version === 1 && program.length === 32) {
      return concat(Uint8Array.of(0x51, 0x20), program);
    }
  }
  return undefined;
}

/**
 * The scriptPubKey of an address of this network, or `undefined` if it does not decode: base58check P2PKH and P2SH,
 * bech32 P2WPKH and P2WSH (BIP-173), bech32m P2TR (BIP-350; the key need not be on the curve).
 */
export function addressToScript(address: string, network: BitcoinNetwork): Uint8Array | undefined {
  const prefix = PREFIXES[network];
  return fromSegwit(address, prefix) ?? fromBase58(address, prefix);
}

/** The address of a standard scriptPubKey, or `undefined` when the script has none. */
export function scriptToAddress(script: Uint8Array, network: BitcoinNetwork): string | undefined {
  const prefix = PREFIXES[network];
  const [first, second] = script;
  if (script.length === 25 && first === 0x76 && second === 0xa9 && script[2] === 0x14 && script[23] === 0x88 && script[24] === 0xac) {
    return encodeBase58Check(concat(Uint8Array.of(prefix.p2pkh), script.slice(3, 23)));
  }
  if (script.length === 23 && first === 0xa9 && second === 0x14 && script[22] === 0x87) {
    return encodeBase58Check(concat(Uint8Array.of(prefix.p2sh), script.slice(2, 22)));
  }
  const program = script.slice(2);
  if (first === 0x00 && second === program.length && (program.length === 20 || program.length === 32)) {
    return bech32.encode(prefix.bech32, [0, ...bech32.toWords(program)]);
  }
  if (first === 0x51 && second === 0x20 && program.length === 32) {
    return bech32m.encode(prefix.bech32, [1, ...bech32m.toWords(program)]);
  }
  return undefined;
}
