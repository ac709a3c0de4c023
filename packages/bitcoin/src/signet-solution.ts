import { concat, equal } from '@hemid/protocol';
import { OP_PUSHDATA1, readScript } from './script-form.ts';

/** What solves a signet's challenge, as an input would carry it (BIP325). */
export interface SignetSolution {
  scriptSig: Uint8Array;
  witness: Uint8Array[];
}

const SIGNET_HEADER = Uint8Array.of(0xec, 0xc7, 0xda, 0xa2);
const MAX_SIZE = 0x02000000;

/** The push of `data` by its size alone, as Core's CScript appends bytes. */
export function encodePush(data: Uint8Array): Uint8Array {
  const size = data.length;
  if (size < OP_PUSHDATA1) return concat(Uint8Array.of(size), data);
  if (size <= 0xff) return concat(Uint8Array.of(OP_PUSHDATA1, size), data);
  if (size <= 0xffff) return concat(Uint8Array.of(OP_PUSHDATA1 + 1, size & 0xff, size >> 8), data);
  return concat(Uint8Array.of(OP_PUSHDATA1 + 2, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff, size >>> 24), data);
}

/**
 * Takes the signet section out of a witness commitment script: the bytes behind its header in the first push that
 * has it and more, and the script as it is signed, where the header alone stays. Without a section: `undefined`.
 */
export function splitCommitment(script: Uint8Array): { section: Uint8Array; cleared: Uint8Array } | undefined {
  let section: Uint8Array | undefined;
  const parts = readScript(script).ops.map(({ opcode, data = new Uint8Array() }) => {
    if (data.length === 0) return Uint8Array.of(opcode);
    if (section !== undefined || data.length <= SIGNET_HEADER.length || !equal(data.subarray(0, SIGNET_HEADER.length), SIGNET_HEADER)) {
      return encodePush(data);
    }
    section = data.slice(SIGNET_HEADER.length);
    return encodePush(SIGNET_HEADER);
  });
  return section === undefined ? undefined : { section, cleared: concat(...parts) };
}

/** Reads a section: scriptSig, then the witness stack, and nothing behind; `undefined` for anything else. */
export function decodeSolution(section: Uint8Array): SignetSolution | undefined {
  let offset = 0;

  /** A canonical CompactSize, or `undefined`. */
  function size(): number | undefined {
    const first = section[offset];
    if (first === undefined || first === 0xff) return undefined;
    const width = first < 0xfd ? 0 : first === 0xfd ? 2 : 4;
    let value = width === 0 ? first : 0;
    for (let i = width; i > 0; i -= 1) value = value * 256 + (section[offset + i] ?? Number.NaN);
    offset += 1 + width;
    const least = width === 0 ? 0 : width === 2 ? 0xfd : 0x10000;
    return value >= least && value <= MAX_SIZE ? value : undefined;
  }

  function bytes(): Uint8Array | undefined {
    const length = size();
    if (length === undefined || offset + length > section.length) return undefined;
    offset += length;
    return section.slice(offset - length, offset);
  }

  const scriptSig = bytes();
  const count = scriptSig === undefined ? undefined : size();
  if (scriptSig === undefined || count === undefined) return undefined;
  const witness: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const item = bytes();
    if (item === undefined) return undefined;
    witness.push(item);
  }
  return offset === section.length ? { scriptSig, witness } : undefined;
}
