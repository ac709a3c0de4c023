import { sha256d } from './bitcoin-hash.ts';
import { concat } from './bytes.ts';
import { fail } from './errors.ts';

/** A Bitcoin block header. Hashes are in internal order. */
export interface BitcoinHeader {
  /** As a signed 32-bit number, the way Bitcoin compares it. */
  version: number;
  previous: Uint8Array;
  merkleRoot: Uint8Array;
  /** Seconds since the Unix epoch, unsigned. */
  time: number;
  /** Compact target ("nBits"). */
  bits: number;
  nonce: number;
}

/** Bytes of a serialised header. */
export const HEADER_SIZE = 80;

/** The 80 bytes that Bitcoin hashes. */
export function encodeBitcoinHeader(header: BitcoinHeader): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setInt32(0, header.version, true);
  const tail = new Uint8Array(12);
  const view = new DataView(tail.buffer);
  view.setUint32(0, header.time, true);
  view.setUint32(4, header.bits, true);
  view.setUint32(8, header.nonce, true);
  return concat(head, header.previous, header.merkleRoot, tail);
}

/** @throws `protocol/encoding` unless `bytes` are exactly 80. */
export function decodeBitcoinHeader(bytes: Uint8Array): BitcoinHeader {
  if (bytes.length !== HEADER_SIZE) {
    throw fail('protocol/encoding', `a Bitcoin header has ${HEADER_SIZE} bytes, not ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  return {
    version: view.getInt32(0, true),
    previous: bytes.slice(4, 36),
    merkleRoot: bytes.slice(36, 68),
    time: view.getUint32(68, true),
    bits: view.getUint32(72, true),
    nonce: view.getUint32(76, true),
  };
}

/** The block hash, internal order. */
export function hashBitcoinHeader(bytes: Uint8Array): Uint8Array {
  return sha256d(bytes);
}
