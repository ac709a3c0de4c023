/**
 * OP_CHECKMULTISIG's way of comparing: signatures stand in the order of the keys, and the last ones are tried first.
 * `isSigned` may throw for a signature whose form is refused; it is asked only for the pairs that Bitcoin tries.
 */
export function areSigned(
  signatures: readonly Uint8Array[],
  keys: readonly Uint8Array[],
  isSigned: (signature: Uint8Array, key: Uint8Array) => boolean,
): boolean {
  let open = signatures.length;
  for (let left = keys.length; open > 0 && open <= left; left -= 1) {
    if (isSigned(signatures[open - 1] as Uint8Array, keys[left - 1] as Uint8Array)) open -= 1;
  }
  return open === 0;
}
