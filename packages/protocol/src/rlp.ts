/** Bytes, or a list of such items. */
export type RlpItem = Uint8Array | readonly RlpItem[];

const LIST = 0xc0;
const STRING = 0x80;

const isByte = (bytes: Uint8Array): boolean => bytes.length === 1 && (bytes[0] ?? 0) < STRING;

/** Bytes of the head before a payload. */
function headSize(length: number): number {
  if (length <= 55) return 1;
  return length <= 0xff ? 2 : length <= 0xffff ? 3 : length <= 0xff_ffff ? 4 : 5;
}

/** Measures an item; the payloads of its lists go to `payloads`, each before those inside it. */
function measure(item: RlpItem, payloads: number[]): number {
  if (item instanceof Uint8Array) return isByte(item) ? 1 : headSize(item.length) + item.length;
  const at = payloads.length;
  payloads.push(0);
  let payload = 0;
  for (const one of item) payload += measure(one, payloads);
  payloads[at] = payload;
  return headSize(payload) + payload;
}

/**
 * RLP (Yellow Paper, appendix B), measured first and written in one go: blocks and receipts are thousands of small items,
 * for which @ethereumjs/rlp makes some arrays each.
 *
 * @param type a byte that stands before it (EIP-2718).
 */
export function encodeRlp(item: RlpItem, type?: number): Uint8Array {
  const payloads: number[] = [];
  let at = type === undefined ? 0 : 1;
  const bytes = new Uint8Array(at + measure(item, payloads));
  if (type !== undefined) bytes[0] = type;
  let list = 0;

  function head(base: number, length: number): void {
    const size = headSize(length);
    bytes[at] = size === 1 ? base + length : base + 54 + size;
    for (let i = size - 1, left = length; i >= 1; i -= 1, left = Math.floor(left / 256)) bytes[at + i] = left & 0xff;
    at += size;
  }

  function write(one: RlpItem): void {
    if (!(one instanceof Uint8Array)) {
      head(LIST, payloads[list] as number);
      list += 1;
      for (const inner of one) write(inner);
      return;
    }
    if (!isByte(one)) head(STRING, one.length);
    bytes.set(one, at);
    at += one.length;
  }

  write(item);
  return bytes;
}
