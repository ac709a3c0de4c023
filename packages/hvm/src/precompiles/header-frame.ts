import { concat, decodeBitcoinHeader, displayBytes, type PlacedHeader, toBigEndian } from '@hemid/protocol';

/**
 * The 116-byte header frame of 0x44 and 0x45: height u32 ‖ hash ‖ version u32 ‖ previous ‖ merkle root ‖ time u32 ‖
 * bits u32 ‖ nonce u32; integers big-endian, hashes in display order.
 */
export function encodeHeaderFrame(placed: PlacedHeader): Uint8Array {
  const header = decodeBitcoinHeader(placed.header);
  return concat(
    toBigEndian(placed.height, 4),
    displayBytes(placed.hash),
    toBigEndian(header.version >>> 0, 4),
    displayBytes(header.previous),
    displayBytes(header.merkleRoot),
    toBigEndian(header.time, 4),
    toBigEndian(header.bits, 4),
    toBigEndian(header.nonce, 4),
  );
}
