import { addressOfKey, encodeRlp, hashTransaction, toMinimal } from '@hemid/protocol';
import secp256k1 from 'secp256k1';

/** A call to sign: an EIP-1559 transaction that pays whatever the base fee is. */
export interface LoadCall {
  nonce: number;
  /** 20 bytes. */
  to: Uint8Array;
  value: bigint;
  data: Uint8Array;
  gas: bigint;
}

/** Signs thousands of transactions per second, for those who put a node under load: viem signs some hundred. */
export interface LoadSigner {
  /** 20 bytes. */
  address: Uint8Array;
  /** @returns the raw transaction. */
  sign(call: LoadCall): Uint8Array;
}

const TYPE = 2;
const TIP = 10n ** 6n;
const FEE_CAP = 10n ** 12n;

function withType(fields: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(fields.length + 1);
  bytes[0] = TYPE;
  bytes.set(fields, 1);
  return bytes;
}

/** Bytes of a number without leading zeros. */
function trimmed(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? new Uint8Array() : bytes.slice(first);
}

/** The signer of a secret key of 32 bytes on a chain. */
export function createLoadSigner(secretKey: Uint8Array, chainId: number): LoadSigner {
  const address = addressOfKey(secp256k1.publicKeyCreate(secretKey, true));
  if (address === undefined) throw new Error('not a secret key');
  return {
    address,
    sign({ nonce, to, value, data, gas }) {
      const fields = [toMinimal(chainId), toMinimal(nonce), toMinimal(TIP), toMinimal(FEE_CAP), toMinimal(gas), to, toMinimal(value), data, []];
      const { signature, recid } = secp256k1.ecdsaSign(hashTransaction(withType(encodeRlp(fields))), secretKey);
      return withType(encodeRlp([...fields, toMinimal(recid), trimmed(signature.subarray(0, 32)), trimmed(signature.subarray(32))]));
    },
  };
}
