import {
  type ChainSpec,
  concat,
  decodeHeader,
  decodeRlp,
  encodeRlp,
  equal,
  HISTORY_ADDRESS,
  historySlot,
  isHemidError,
  type L2Header,
  readSealer,
  rulesAt,
  slotAt,
  toHex,
  toMinimal,
} from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { decodeConsensusReceipt, type ProvenReceipt } from './consensus-receipt.ts';
import { fail } from './errors.ts';
import type { AnchoredBlock } from './proof.ts';
import { readTrieProof } from './trie-proof.ts';

/** An L2 header with its hash. */
export interface ProvenHeader {
  header: L2Header;
  hash: Uint8Array;
}

/** A transaction of the block that is proven. */
export interface ProvenTransaction {
  index: number;
  raw: Uint8Array;
  receipt: ProvenReceipt;
}

/** What the L2 part of a proof shows. */
export interface ProvenBlocks {
  /** The block that is proven. */
  block: ProvenHeader;
  keystone: ProvenHeader;
  /** Hash of the keystone block before; zeros for the first. */
  previousKeystoneHash: Uint8Array;
}

/** A keystone writes block numbers in 32 bits. */
const MAX_NUMBER = 0xffffffffn;

const refuse = (why: string): Error => fail('provenance/block', `block: ${why}`);

/** What is malformed in what a block holds breaks this link; @throws `provenance/block`. */
export function decode<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isHemidError(error, 'protocol/encoding')) throw refuse(error.message);
    throw error;
  }
}

/** The hash of a block that a state holds in the EIP-2935 contract. */
function readHistory(stateRoot: Uint8Array, number: bigint, proof: { account: Uint8Array[]; slot: Uint8Array[] }): Uint8Array | undefined {
  const account = readTrieProof(stateRoot, keccak_256(HISTORY_ADDRESS), proof.account);
  const [, , storageRoot] = account === undefined ? [] : (decode(() => decodeRlp(account, 'an account')) as unknown[]);
  if (!(storageRoot instanceof Uint8Array)) return undefined;
  const value = readTrieProof(storageRoot, keccak_256(historySlot(number)), proof.slot);
  const bytes = value && decode(() => decodeRlp(value, 'a storage slot'));
  if (!(bytes instanceof Uint8Array) || bytes.length > 32) return undefined;
  return concat(new Uint8Array(32 - bytes.length), bytes);
}

/** The sequencer that sealed a block, which is the one of its slot; @throws `provenance/seal`. */
export function verifySeal({ header, hash }: ProvenHeader, seal: Uint8Array, spec: ChainSpec): Uint8Array {
  const slot = slotAt(spec, header.timestamp);
  const { sequencers } = rulesAt(spec, header.timestamp);
  const signer = slot === undefined ? undefined : sequencers[Number(slot % BigInt(sequencers.length))]?.signer;
  const sealer = readSealer(seal, BigInt(spec.genesis.chainId), hash);
  if (signer !== undefined && sealer !== undefined && equal(sealer, signer)) return signer;
  const expected = signer === undefined ? 'its time is not that of a slot' : `the sequencer of its slot is ${toHex(signer)}`;
  throw fail('provenance/seal', `seal: keystone block ${header.number} is not sealed by its sequencer: ${expected}`);
}

/**
 * Checks the L2 headers of a proof and what the keystone block's state says of its ancestors.
 *
 * @throws `provenance/block`
 */
export function verifyBlocks({ headers, history }: Pick<AnchoredBlock, 'headers' | 'history'>, spec: ChainSpec): ProvenBlocks {
  const chain = headers.map((raw) => ({ header: decode(() => decodeHeader(raw)), hash: keccak_256(raw) }));
  const [block, keystone] = [chain[0] as ProvenHeader, chain[chain.length - 1] as ProvenHeader];
  for (const [i, { header }] of chain.entries()) {
    const parent = chain[i - 1];
    if (parent !== undefined && (!equal(header.parentHash, parent.hash) || header.number !== parent.header.number + 1n)) {
      throw refuse(`header ${header.number} does not follow on the one before`);
    }
  }
  const { number, stateRoot, parentHash } = keystone.header;
  const period = BigInt(spec.genesis.keystonePeriod);
  if (number % period !== 0n || number > MAX_NUMBER) throw refuse(`the last header, ${number}, is not a keystone's: every ${period}th is`);

  const parent = readHistory(stateRoot, number - 1n, { account: history.account, slot: history.parent });
  if (parent === undefined || !equal(parent, parentHash)) throw refuse('the state of the keystone block does not show the hash of its parent');
  const isFirst = number === period;
  if (isFirst !== (history.previous === undefined)) throw refuse('every keystone but the first shows the one before it');
  const previousKeystoneHash =
    history.previous === undefined
      ? new Uint8Array(32)
      : readHistory(stateRoot, number - period, { account: history.account, slot: history.previous });
  if (previousKeystoneHash === undefined) throw refuse('the state of the keystone block does not show the hash of the keystone before');
  return { block, keystone, previousKeystoneHash };
}

/** The transaction that is shown to be in a block, with its receipt; @throws `provenance/block`. */
export function verifyTransaction(
  { index, transaction, receipt }: NonNullable<AnchoredBlock['inclusion']>,
  { header }: ProvenHeader,
): ProvenTransaction {
  const key = encodeRlp(toMinimal(index));
  const raw = readTrieProof(header.transactionsRoot, key, transaction);
  if (raw === undefined) throw refuse(`the transaction is not the one at index ${index} of block ${header.number}`);
  const bytes = readTrieProof(header.receiptsRoot, key, receipt);
  if (bytes === undefined) throw refuse(`the receipt is not the one at index ${index} of block ${header.number}`);
  const read = decode(() => decodeConsensusReceipt(bytes));
  if (read === undefined) throw refuse('the receipt is malformed');
  return { index, raw, receipt: read };
}
