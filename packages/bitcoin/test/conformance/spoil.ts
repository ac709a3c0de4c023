import { concat, fromHex, toDigits } from '@hemid/protocol';
import type { Transaction } from 'bitcoinjs-lib';

/** A good transaction, spoilt in several ways. */
export function spoil(good: Transaction): Record<string, Transaction> {
  const change = (edit: (tx: Transaction) => void): Transaction => {
    const tx = good.clone();
    edit(tx);
    return tx;
  };
  const editSignature = (edit: (signature: Uint8Array) => Uint8Array): Transaction =>
    change((tx) => {
      const [input] = tx.ins;
      if (input === undefined) return;
      if (input.witness.length > 0) {
        tx.setWitness(0, [edit(input.witness[0] as Uint8Array), ...input.witness.slice(1)]);
        return;
      }
      const size = input.script[0] ?? 0;
      const signature = edit(input.script.slice(1, 1 + size));
      tx.setInputScript(0, concat(Uint8Array.of(signature.length), signature, input.script.slice(1 + size)));
    });
  return {
    'another amount': change((tx) => Object.assign(tx.outs[0] as object, { value: (tx.outs[0]?.value ?? 0n) - 1n })),
    'a flipped bit': editSignature((signature) => signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte))),
    'no signature': editSignature(() => new Uint8Array()),
    'a short signature': editSignature((signature) => signature.slice(0, 20)),
    'an unknown hash type': editSignature((signature) => concat(signature.slice(0, signature.length === 64 ? 64 : -1), Uint8Array.of(0x44))),
    'hash type 0': editSignature((signature) => concat(signature.slice(0, signature.length === 64 ? 64 : -1), Uint8Array.of(0))),
    'a witness and a script': change((tx) => {
      if ((tx.ins[0]?.witness.length ?? 0) > 0) tx.setInputScript(0, Uint8Array.of(0x51));
      else tx.setWitness(0, [new Uint8Array(1)]);
    }),
    'one thing too many': change((tx) => {
      const [input] = tx.ins;
      if ((input?.witness.length ?? 0) > 0) tx.setWitness(0, [new Uint8Array(1), ...(input?.witness ?? [])]);
      else tx.setInputScript(0, concat(Uint8Array.of(0x51), input?.script ?? new Uint8Array()));
    }),
    ...(isEcdsa(good) ? { 'a high S': highS(good) } : {}),
  };
}

/** Whether input 0 carries an ECDSA signature: in its script, or as the longer of two witness items. */
const isEcdsa = ({ ins: [input] }: Transaction): boolean => input?.witness.length !== 1;

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The same transaction with the other of the two ECDSA signatures in input 0: valid, but nobody relays it. */
export function highS(tx: Transaction): Transaction {
  const input = tx.ins[0];
  const witness = input?.witness ?? [];
  const inScript = witness.length === 0;
  const signature = inScript ? input?.script.slice(1, 1 + (input.script[0] ?? 0)) : witness[0];
  if (input === undefined || signature === undefined || signature[0] !== 0x30) return tx.clone();
  const rSize = signature[3] ?? 0;
  const s = BigInt(`0x${toDigits(signature.slice(6 + rSize, -1))}`);
  const high = fromHex((ORDER - s).toString(16).padStart(64, '0'));
  const head = concat(Uint8Array.of(2), signature.slice(3, 4 + rSize), Uint8Array.of(2, 33, 0), high);
  const made = concat(Uint8Array.of(0x30, head.length), head, signature.slice(-1));
  const copy = tx.clone();
  if (inScript) copy.setInputScript(0, concat(Uint8Array.of(made.length), made, input.script.slice(1 + (input.script[0] ?? 0))));
  else copy.setWitness(0, [made, ...witness.slice(1)]);
  return copy;
}

/** The transaction with a coinbase's input. */
export function withNullInput(tx: Transaction): Transaction {
  const copy = tx.clone();
  copy.ins = [];
  copy.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, Uint8Array.of(1, 1));
  return copy;
}
