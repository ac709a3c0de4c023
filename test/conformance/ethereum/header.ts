import { RLP } from '@ethereumjs/rlp';
import { fromMinimal, toMinimal } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { refuse } from './refusal.ts';

/** An Ethereum header of any fork from Berlin on: later forks add fields at the end. */
export interface Header {
  parentHash: Uint8Array;
  ommersHash: Uint8Array;
  beneficiary: Uint8Array;
  stateRoot: Uint8Array;
  transactionsRoot: Uint8Array;
  receiptsRoot: Uint8Array;
  logsBloom: Uint8Array;
  difficulty: bigint;
  number: bigint;
  gasLimit: bigint;
  gasUsed: bigint;
  /** Seconds. */
  timestamp: bigint;
  extraData: Uint8Array;
  mixHash: Uint8Array;
  nonce: Uint8Array;
  baseFeePerGas?: bigint;
  withdrawalsRoot?: Uint8Array;
  blobGasUsed?: bigint;
  excessBlobGas?: bigint;
  parentBeaconBlockRoot?: Uint8Array;
  requestsHash?: Uint8Array;
}

/** Exact size in bytes, or an integer of at most so many, or any bytes. */
type FieldKind = number | { max: number } | 'bytes';

const FIELDS: readonly [keyof Header, FieldKind][] = [
  ['parentHash', 32],
  ['ommersHash', 32],
  ['beneficiary', 20],
  ['stateRoot', 32],
  ['transactionsRoot', 32],
  ['receiptsRoot', 32],
  ['logsBloom', 256],
  ['difficulty', { max: 32 }],
  ['number', { max: 8 }],
  ['gasLimit', { max: 8 }],
  ['gasUsed', { max: 8 }],
  ['timestamp', { max: 8 }],
  ['extraData', 'bytes'],
  ['mixHash', 32],
  ['nonce', 8],
  ['baseFeePerGas', { max: 32 }],
  ['withdrawalsRoot', 32],
  ['blobGasUsed', { max: 8 }],
  ['excessBlobGas', { max: 8 }],
  ['parentBeaconBlockRoot', 32],
  ['requestsHash', 32],
];
const FIRST_FIELDS = 15;

function fieldFrom(bytes: unknown, name: string, kind: FieldKind): Uint8Array | bigint {
  if (!(bytes instanceof Uint8Array)) throw refuse(`header field ${name} is not bytes`);
  if (typeof kind === 'object') return fromMinimal(bytes, kind.max);
  if (kind !== 'bytes' && bytes.length !== kind) throw refuse(`header field ${name} has ${bytes.length} bytes instead of ${kind}`);
  return bytes;
}

/** The header of RLP items; which fields it has is for the rules of its fork to judge. */
export function headerFromItems(items: unknown): Header {
  if (!Array.isArray(items) || items.length < FIRST_FIELDS || items.length > FIELDS.length) throw refuse('not the fields of a header');
  const fields = FIELDS.slice(0, items.length).map(([name, kind], i) => [name, fieldFrom(items[i], name, kind)]);
  return Object.fromEntries(fields) as Header;
}

/** The block hash. */
export function hashOf(header: Header): Uint8Array {
  const values = FIELDS.map(([name]) => header[name]).filter((value) => value !== undefined);
  return keccak_256(RLP.encode(values.map((value) => (typeof value === 'bigint' ? toMinimal(value) : value))));
}

/** How many fields a header has. */
export function fieldCount(header: Header): number {
  return FIELDS.filter(([name]) => header[name] !== undefined).length;
}
