import { RLP } from '@ethereumjs/rlp';
import { fail } from './errors.ts';

/** An address of an envelope: 20 bytes, or none. @throws `protocol/encoding` */
export function toAddressField(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== 0 && bytes.length !== 20) throw fail('protocol/encoding', 'an address has 20 bytes or none');
  return bytes.length === 0 ? undefined : bytes;
}

/** A field of exactly `size` bytes. @throws `protocol/encoding` */
export function toSizedField(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length !== size) throw fail('protocol/encoding', `a field has ${bytes.length} bytes instead of ${size}`);
  return bytes;
}

/** The items of a list, each of them bytes; @throws `protocol/encoding` unless there are exactly `count`. */
export function toFields(items: unknown, { count, what }: { count: number; what: string }): Uint8Array[] {
  if (!Array.isArray(items) || items.length !== count || !items.every((item) => item instanceof Uint8Array)) {
    throw fail('protocol/encoding', `${what} has ${count} fields`);
  }
  return items as Uint8Array[];
}

/** What stands behind the type byte of an envelope. @throws `protocol/encoding` */
export function decodeEnvelope(raw: Uint8Array): unknown {
  try {
    return RLP.decode(raw.subarray(1));
  } catch (cause) {
    throw fail('protocol/encoding', 'a system transaction is not RLP', { cause });
  }
}
