import { RLP } from '@ethereumjs/rlp';
import { fail } from './errors.ts';
import { decodeRlp, hashHeader, headerFromItems, headerToItems, type L2Header } from './l2-header.ts';
import { encodeRlp, type RlpItem } from './rlp.ts';
import { SEAL_SIZE } from './seal.ts';

/** An L2 block: header and raw transactions, system transactions included; ommers and withdrawals are empty. */
export interface L2Block {
  header: L2Header;
  /** Each as it is hashed: a type byte and RLP, or the RLP list of a legacy transaction. */
  transactions: Uint8Array[];
}

/** A block with its sequencer's seal, 65 bytes: what travels and what is stored. The genesis has an empty seal. */
export interface SealedBlock {
  block: L2Block;
  seal: Uint8Array;
  /** Hash of the header. */
  hash: Uint8Array;
}

/** A legacy transaction is an RLP list and stands in the body as such; a typed one is a byte string. */
const isLegacy = (raw: Uint8Array): boolean => (raw[0] ?? 0) >= 0xc0;

/** RLP [[header, transactions, ommers, withdrawals], seal]. */
export function encodeSealedBlock(sealed: SealedBlock): Uint8Array {
  const { header, transactions } = sealed.block;
  const body = transactions.map((raw) => (isLegacy(raw) ? (RLP.decode(raw) as RlpItem) : raw));
  return encodeRlp([[headerToItems(header), body, [], []], sealed.seal]);
}

/** @throws `protocol/encoding` unless it is exactly one sealed block. */
export function decodeSealedBlock(bytes: Uint8Array): SealedBlock {
  const items = decodeRlp(bytes, 'a sealed block');
  if (!Array.isArray(items) || items.length !== 2) throw fail('protocol/encoding', 'a sealed block is [block, seal]');
  const [block, seal] = items as [unknown, unknown];
  if (!(seal instanceof Uint8Array) || (seal.length !== SEAL_SIZE && seal.length !== 0)) {
    throw fail('protocol/encoding', `a seal has ${SEAL_SIZE} bytes`);
  }
  if (!Array.isArray(block) || block.length !== 4) throw fail('protocol/encoding', 'a block has four parts');
  const [headerItems, body, ommers, withdrawals] = block as unknown[];
  if (!Array.isArray(ommers) || ommers.length > 0) throw fail('protocol/encoding', 'a block has no ommers');
  if (!Array.isArray(withdrawals) || withdrawals.length > 0) {
    throw fail('protocol/encoding', 'a block has no withdrawals');
  }
  if (!Array.isArray(body)) throw fail('protocol/encoding', 'the transactions of a block are a list');
  const transactions = body.map((item: unknown) => {
    if (Array.isArray(item)) return RLP.encode(item);
    if (!(item instanceof Uint8Array) || item.length === 0 || isLegacy(item)) {
      throw fail('protocol/encoding', 'a transaction of the block is malformed');
    }
    return item;
  });
  const header = headerFromItems(headerItems);
  return { block: { header, transactions }, seal, hash: hashHeader(header) };
}
