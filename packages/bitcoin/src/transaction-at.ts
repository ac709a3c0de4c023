import { type BitcoinTransaction, readTransactions } from '@hemid/protocol';
import { sha256d } from './sha256.ts';

const HEADER_SIZE = 80;

/** Goes over serialised transactions without making anything of them. */
function createSkipper(raw: Uint8Array, start: number) {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  let offset = start;

  function compactSize(): number {
    const first = view.getUint8(offset);
    offset += 1;
    if (first < 0xfd) return first;
    const size = 2 ** (first - 0xfc);
    const value =
      first === 0xfd ? view.getUint16(offset, true) : first === 0xfe ? view.getUint32(offset, true) : Number(view.getBigUint64(offset, true));
    offset += size;
    return value;
  }

  function prefixed(): void {
    const size = compactSize();
    offset += size;
  }

  function transaction(): void {
    offset += 4;
    const isSegwit = view.getUint8(offset) === 0 && view.getUint8(offset + 1) !== 0;
    if (isSegwit) offset += 2;
    const inputs = compactSize();
    for (let i = 0; i < inputs; i += 1) {
      offset += 36;
      prefixed();
      offset += 4;
    }
    const outputs = compactSize();
    for (let i = 0; i < outputs; i += 1) {
      offset += 8;
      prefixed();
    }
    for (let i = 0; isSegwit && i < inputs; i += 1) {
      const elements = compactSize();
      for (let n = 0; n < elements; n += 1) prefixed();
    }
    offset += 4;
  }

  return { compactSize, transaction, offset: () => offset };
}

/** The bytes of one transaction in a raw block that was checked before, with witnesses: a view into `raw`. */
export function sliceTransactionAt(raw: Uint8Array, index: number): Uint8Array {
  const skipper = createSkipper(raw, HEADER_SIZE);
  const count = skipper.compactSize();
  if (index >= count) throw new RangeError(`a block has ${count} transactions, and not one at ${index}`);
  for (let i = 0; i < index; i += 1) skipper.transaction();
  const start = skipper.offset();
  skipper.transaction();
  return raw.subarray(start, skipper.offset());
}

/** A serialised transaction that was checked before; it shares no memory with `raw`. */
export function readTransaction(raw: Uint8Array): BitcoinTransaction {
  // A block of this one alone: a copy, so that whoever keeps the transaction does not keep the block.
  const alone = new Uint8Array(1 + raw.length);
  alone[0] = 1;
  alone.set(raw, 1);
  const [read] = readTransactions(alone, { start: 0, hash: sha256d });
  if (read === undefined) throw new RangeError('there is no transaction');
  return read.transaction;
}

/**
 * One transaction of a raw block that was checked before. A precompile asks for one of thousands: the others are
 * passed over, which takes a hundredth of the time that parsing all of them does.
 */
export function readTransactionAt(raw: Uint8Array, index: number): BitcoinTransaction {
  return readTransaction(sliceTransactionAt(raw, index));
}
