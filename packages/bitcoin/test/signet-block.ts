import { concat, fromHex, sha256d } from '@hemid/protocol';
import { createBitcoinWallet } from '@hemid/testkit';
import { sign } from '@noble/secp256k1';
import { script as bitcoinScript, Transaction } from 'bitcoinjs-lib';
import { merkleRoot } from '../src/index.ts';

const nobody = async (): Promise<never> => Promise.reject(new Error('no node is needed here'));
const signer = (secret: string): Signer => createBitcoinWallet({ rpc: nobody, secret });

export interface Signer {
  secretKey: Uint8Array;
  publicKey: Uint8Array;
}

export const alice: Signer = signer('alice');
export const bob: Signer = signer('bob');
export const carol: Signer = signer('carol');

export const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values);
export const push = (data: Uint8Array): Uint8Array => (data.length < 76 ? concat(bytes(data.length), data) : concat(bytes(0x4c, data.length), data));

/** scriptSig and no witness, as a section carries them. */
export const asSection = (scriptSig: Uint8Array, witness: Uint8Array = bytes(0)): Uint8Array =>
  concat(scriptSig.length < 0xfd ? bytes(scriptSig.length) : bytes(0xfd, scriptSig.length & 0xff, scriptSig.length >> 8), scriptSig, witness);

export interface Wanted {
  challenge: Uint8Array;
  /** What stands behind the signet header, made of signatures. */
  solve(signed: (signer: Signer, hashType?: number) => Uint8Array): Uint8Array;
  /** Internal order; any hash if left out. */
  previous?: Uint8Array;
  /** Seconds. */
  time?: number;
  bits?: number;
  nonce?: number;
  /** Besides the coinbase; one if left out. */
  others?: Transaction[];
}

const SIGNET_HEADER = fromHex('ecc7daa2');

function anyTransaction(): Transaction {
  const transaction = new Transaction();
  transaction.addInput(new Uint8Array(32).fill(7), 1, 5, bytes(0x51));
  transaction.addOutput(bytes(0x52), 3n);
  return transaction;
}

/** The coinbase of height 1 whose commitment ends with a push of these bytes. */
function coinbaseWith(commitment: Uint8Array, pushed: Uint8Array): Transaction {
  const coinbase = new Transaction();
  coinbase.version = 2;
  coinbase.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, bytes(0x51, 0x51));
  coinbase.ins[0] = { ...(coinbase.ins[0] as Transaction['ins'][number]), witness: [new Uint8Array(32)] };
  coinbase.addOutput(bytes(0x51), 50n);
  coinbase.addOutput(concat(fromHex('6a24aa21a9ed'), commitment, push(pushed)), 0n);
  return coinbase;
}

function littleEndian(value: number): Uint8Array {
  const word = new Uint8Array(4);
  new DataView(word.buffer).setUint32(0, value, true);
  return word;
}

/** A raw block of a signet, put together by the words of BIP325; signatures are deterministic, so the same every time. */
export function makeSignetBlock({ challenge, solve, ...place }: Wanted): Uint8Array {
  const { previous = new Uint8Array(32).fill(3), bits = 0x207fffff, nonce = 0, others = [anyTransaction()] } = place;
  const ids = others.map((transaction) => transaction.getHash());
  const commitment = sha256d(concat(merkleRoot([new Uint8Array(32), ...ids]).root, new Uint8Array(32)));
  const head = concat(littleEndian(0x20000000), previous);
  const time = littleEndian(place.time ?? 0x04030201);

  const signedRoot = merkleRoot([coinbaseWith(commitment, SIGNET_HEADER).getHash(), ...ids]).root;
  const toSpend = new Transaction();
  toSpend.version = 0;
  toSpend.addInput(new Uint8Array(32), 0xffffffff, 0, concat(bytes(0, 72), head, signedRoot, time));
  toSpend.addOutput(challenge, 0n);
  const toSign = new Transaction();
  toSign.version = 0;
  toSign.addInput(toSpend.getHash(), 0, 0);
  toSign.addOutput(bytes(0x6a), 0n);
  const section = solve(({ secretKey }, hashType = Transaction.SIGHASH_ALL) =>
    bitcoinScript.signature.encode(sign(toSign.hashForSignature(0, challenge, hashType), secretKey, { prehash: false }), hashType),
  );

  const coinbase = coinbaseWith(commitment, concat(SIGNET_HEADER, section));
  const root = merkleRoot([coinbase.getHash(), ...ids]).root;
  const header = concat(head, root, time, littleEndian(bits), littleEndian(nonce));
  return concat(header, bytes(1 + others.length), ...[coinbase, ...others].map((transaction) => transaction.toBuffer()));
}
