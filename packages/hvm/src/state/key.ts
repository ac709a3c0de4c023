/**
 * Keys of the flat state, as latin1 strings: cheap to build, to hash in a Map and to turn into bytes.
 *
 * - `a` ‖ address 20: account, RLP [nonce, balance, storage root, code hash]
 * - `s` ‖ address 20 ‖ slot 32: storage value without leading zeros
 * - `n` ‖ length u8 ‖ nibbles packed: node of the account trie at a path (trie-codec.ts: a leaf by its name)
 * - `m` ‖ hashed address 32 ‖ length u8 ‖ nibbles packed: node of a storage trie at a path
 * - `c` ‖ code hash 32: code
 *
 * No key is a prefix of another of its kind, so that a key and a block number behind it sort by both.
 */
export type StateKey = string;

/** Where bytes lie for a moment, while they become text. */
const desk = Buffer.alloc(64);

/** Bytes as a string, one character each. */
export function latin(bytes: Uint8Array): string {
  if (bytes.length > desk.length) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  // Half the time of a Buffer of their own.
  desk.set(bytes);
  return desk.toString('latin1', 0, bytes.length);
}

/** The inverse of {@link latin}. */
export function fromLatin(text: string): Uint8Array {
  if (text.length > desk.length) return new Uint8Array(Buffer.from(text, 'latin1'));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export const accountKey = (address: string): StateKey => `a${address}`;
export const slotKey = (address: string, slot: string): StateKey => `s${address}${slot}`;
export const codeKey = (codeHash: string): StateKey => `c${codeHash}`;

/** Where the nodes of a trie stand: the account trie, or the storage trie of a hashed address (latin1). */
export const nodePrefix = (owner: string): string => (owner === '' ? 'n' : `m${owner}`);

const digitAt = (path: string, i: number): number => {
  const code = path.charCodeAt(i);
  return code >= 97 ? code - 87 : code - 48;
};

/** Two hex digits a character, the last one padded; most paths are short, for which this is faster than a Buffer. */
function pack(path: string): string {
  if (path.length > 12) return Buffer.from(path.length % 2 === 0 ? path : `${path}0`, 'hex').toString('latin1');
  let packed = '';
  for (let i = 0; i < path.length; i += 2) {
    packed += String.fromCharCode((digitAt(path, i) << 4) | (i + 1 < path.length ? digitAt(path, i + 1) : 0));
  }
  return packed;
}

/** Key of the node at a path of hex digits. */
export function nodeKey(prefix: string, path: string): StateKey {
  const packed = pack(path);
  return `${prefix}${String.fromCharCode(path.length)}${packed}`;
}
