import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { fromMinimal, toMinimal } from './bytes.ts';
import { fail } from './errors.ts';

/** An L2 block header: an Ethereum header of the Osaka fork (protocol section 3). Gas and fees are bigint wei. */
export interface L2Header {
  parentHash: Uint8Array;
  ommersHash: Uint8Array;
  beneficiary: Uint8Array;
  stateRoot: Uint8Array;
  transactionsRoot: Uint8Array;
  receiptsRoot: Uint8Array;
  /** 256 bytes. */
  logsBloom: Uint8Array;
  difficulty: bigint;
  number: bigint;
  gasLimit: bigint;
  gasUsed: bigint;
  /** Seconds. */
  timestamp: bigint;
  /** The Bitcoin header reference: hash of the light tip, display order. */
  extraData: Uint8Array;
  mixHash: Uint8Array;
  /** 8 bytes. */
  nonce: Uint8Array;
  baseFeePerGas: bigint;
  withdrawalsRoot: Uint8Array;
  blobGasUsed: bigint;
  excessBlobGas: bigint;
  parentBeaconBlockRoot: Uint8Array;
  requestsHash: Uint8Array;
}

/** keccak256(RLP([])): the ommers of every block. */
export const EMPTY_OMMERS_HASH: Uint8Array = hexToBytes('1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347');
/** Root of an empty trie: withdrawals of every block, transactions and receipts of an empty one. */
export const EMPTY_TRIE_ROOT: Uint8Array = hexToBytes('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421');
/** sha256(""): the requests hash of every block (EIP-7685). */
export const EMPTY_REQUESTS_HASH: Uint8Array = hexToBytes('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

type FieldKind = number | 'integer' | 'bytes';

/** The fields in RLP order; a number is the exact size in bytes. */
const FIELDS: readonly [keyof L2Header, FieldKind][] = [
  ['parentHash', 32],
  ['ommersHash', 32],
  ['beneficiary', 20],
  ['stateRoot', 32],
  ['transactionsRoot', 32],
  ['receiptsRoot', 32],
  ['logsBloom', 256],
  ['difficulty', 'integer'],
  ['number', 'integer'],
  ['gasLimit', 'integer'],
  ['gasUsed', 'integer'],
  ['timestamp', 'integer'],
  ['extraData', 'bytes'],
  ['mixHash', 32],
  ['nonce', 8],
  ['baseFeePerGas', 'integer'],
  ['withdrawalsRoot', 32],
  ['blobGasUsed', 'integer'],
  ['excessBlobGas', 'integer'],
  ['parentBeaconBlockRoot', 32],
  ['requestsHash', 32],
];

/** The header as RLP items. One of an earlier Ethereum fork, which other chains have, ends earlier. */
export function headerToItems(header: L2Header): Uint8Array[] {
  return FIELDS.filter(([name]) => header[name] !== undefined).map(([name, kind]) =>
    kind === 'integer' ? toMinimal(header[name] as bigint) : (header[name] as Uint8Array),
  );
}

/** @throws `protocol/encoding` unless these are the 21 fields of a header, each of its size. */
export function headerFromItems(items: unknown): L2Header {
  if (!Array.isArray(items) || items.length !== FIELDS.length) {
    throw fail('protocol/encoding', `a block header has ${FIELDS.length} fields`);
  }
  const header: Record<string, unknown> = {};
  for (const [i, [name, kind]] of FIELDS.entries()) {
    const bytes = items[i] as unknown;
    if (!(bytes instanceof Uint8Array)) throw fail('protocol/encoding', `header field ${name} is not bytes`);
    if (typeof kind === 'number' && bytes.length !== kind) {
      throw fail('protocol/encoding', `header field ${name} has ${bytes.length} bytes instead of ${kind}`);
    }
    header[name] = kind === 'integer' ? fromMinimal(bytes, 32) : bytes;
  }
  return header as unknown as L2Header;
}

/** The header's RLP. */
export function encodeHeader(header: L2Header): Uint8Array {
  return RLP.encode(headerToItems(header));
}

/** @throws `protocol/encoding` */
export function decodeHeader(bytes: Uint8Array): L2Header {
  return headerFromItems(decodeRlp(bytes, 'a block header'));
}

/** The block hash: keccak256 of the header's RLP. */
export function hashHeader(header: L2Header): Uint8Array {
  return keccak_256(encodeHeader(header));
}

/** RLP without trailing bytes; @throws `protocol/encoding` naming `what` it should have been. */
export function decodeRlp(bytes: Uint8Array, what: string): unknown {
  try {
    return RLP.decode(bytes);
  } catch (cause) {
    throw fail('protocol/encoding', `${what} is not RLP`, { cause });
  }
}
