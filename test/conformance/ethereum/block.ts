import { RLP } from '@ethereumjs/rlp';
import { equal, fromMinimal } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Header, hashOf, headerFromItems } from './header.ts';
import { refuse } from './refusal.ts';

/** Ether that the beacon chain pays out (EIP-4895). */
export interface Withdrawal {
  /** RLP [index, validator, address, amount]. */
  raw: Uint8Array;
  index: bigint;
  validator: bigint;
  address: Uint8Array;
  gwei: bigint;
}

/** A block as its bytes say, judged by no rule yet. */
export interface EthereumBlock {
  header: Header;
  hash: Uint8Array;
  /** As the transactions root commits to them. */
  transactions: Uint8Array[];
  ommers: Header[];
  /** keccak256 of the list of ommers. */
  ommersHash: Uint8Array;
  withdrawals?: Withdrawal[];
  /** Of its RLP, in bytes. */
  size: number;
}

type Items = Uint8Array | Items[];

function listFrom(items: Items | undefined, what: string): Items[] {
  if (!Array.isArray(items)) throw refuse(`${what} is not a list`);
  return items;
}

/** Typed transactions are bytes in the body, legacy ones are lists. */
function transactionFrom(item: Items): Uint8Array {
  if (Array.isArray(item)) return RLP.encode(item);
  // Below 0xc0 it is a type; a legacy transaction may not hide in a string.
  if (item.length === 0 || (item[0] as number) >= 0x80) throw refuse('a transaction of no known type');
  return item;
}

function withdrawalFrom(item: Items): Withdrawal {
  const fields = listFrom(item, 'a withdrawal');
  const [index, validator, address, amount] = fields;
  if (fields.length !== 4 || fields.some((field) => Array.isArray(field))) throw refuse('a withdrawal has four fields');
  if (address?.length !== 20) throw refuse('a withdrawal goes to an address');
  const integer = (field: unknown): bigint => fromMinimal(field as Uint8Array, 8);
  return { raw: RLP.encode(item), index: integer(index), validator: integer(validator), address: address as Uint8Array, gwei: integer(amount) };
}

/** Reads a block; bytes that are not exactly one block's are refused. */
export function decodeBlock(bytes: Uint8Array): EthereumBlock {
  const items = listFrom(RLP.decode(bytes) as Items, 'a block');
  if (!equal(RLP.encode(items), bytes)) throw refuse('a block in another encoding than the canonical one');
  if (items.length !== 3 && items.length !== 4) throw refuse(`a block of ${items.length} parts`);
  const header = headerFromItems(items[0]);
  const ommers = listFrom(items[2], 'the ommers');
  return {
    header,
    hash: hashOf(header),
    transactions: listFrom(items[1], 'the transactions').map(transactionFrom),
    ommers: ommers.map(headerFromItems),
    ommersHash: keccak_256(RLP.encode(ommers)),
    ...(items.length === 4 ? { withdrawals: listFrom(items[3], 'the withdrawals').map(withdrawalFrom) } : {}),
    size: bytes.length,
  };
}
