import { type BitcoinRpc, satsFromBtc } from '@hemid/bitcoin';
import { addressToScript, concat, fromDisplay, scriptToAddress, toDigits, toDisplay } from '@hemid/protocol';
import { hmac } from '@noble/hashes/hmac.js';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, schnorr, sign } from '@noble/secp256k1';
import { script as bitcoinScript, Transaction } from 'bitcoinjs-lib';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

export type WalletAddress = 'p2pkh' | 'p2wpkh' | 'p2tr';

/** An output that a wallet can spend. */
export interface WalletCoin {
  /** Display order. */
  txid: string;
  vout: number;
  valueSats: bigint;
  script: Uint8Array;
  /** The script behind a P2WSH output. */
  witnessScript?: Uint8Array;
}

export interface WalletOutput {
  /** An address, or an output script. */
  to: string | Uint8Array;
  valueSats: bigint;
}

export interface BuildRequest {
  inputs: readonly WalletCoin[];
  outputs: readonly WalletOutput[];
  /** Of every input; 0xfffffffd when left out, which signals replaceability. */
  sequence?: number;
  locktime?: number;
  version?: number;
}

export interface PayRequest {
  outputs: readonly WalletOutput[];
  /** Which of the wallet's coins to spend, and where the change goes; P2WPKH when left out. */
  from?: WalletAddress;
  /** Sats per vbyte; 2 when left out. */
  feeRate?: number;
}

/** One key and what can be done with it on a regtest chain. Signatures are deterministic. */
export interface BitcoinWallet {
  secretKey: Uint8Array;
  /** 33 bytes. */
  publicKey: Uint8Array;
  addresses: Record<WalletAddress, string>;
  scripts: Record<WalletAddress, Uint8Array>;
  /** Confirmed, mature coins of an address that no mempool transaction spends, largest first. */
  coins(address?: WalletAddress): Promise<WalletCoin[]>;
  /** Mines blocks that pay an address of the wallet. */
  mine(count: number, address?: WalletAddress): Promise<string[]>;
  /** Chooses coins, pays, and sends; the change comes back to the same kind of address. */
  pay(request: PayRequest): Promise<{ txid: string; tx: Transaction }>;
}

const DUST_SATS = 546n;
const COINBASE_MATURITY = 100;

/** A wallet for a secret key of 32 bytes, or for a name that makes one. */
export function createBitcoinWallet({ rpc, secret }: { rpc: BitcoinRpc; secret: Uint8Array | string }): BitcoinWallet {
  const secretKey = typeof secret === 'string' ? sha256(new TextEncoder().encode(secret)) : secret;
  const publicKey = getPublicKey(secretKey);
  const hash = ripemd160(sha256(publicKey));
  const scripts = {
    p2pkh: concat(Uint8Array.of(0x76, 0xa9, 20), hash, Uint8Array.of(0x88, 0xac)),
    p2wpkh: concat(Uint8Array.of(0, 20), hash),
    // The key itself is the output key: nothing here spends by script.
    p2tr: concat(Uint8Array.of(0x51, 32), publicKey.subarray(1)),
  };
  const toAddress = (script: Uint8Array): string => scriptToAddress(script, 'regtest') ?? '';
  const addresses = { p2pkh: toAddress(scripts.p2pkh), p2wpkh: toAddress(scripts.p2wpkh), p2tr: toAddress(scripts.p2tr) };

  async function coins(address: WalletAddress = 'p2wpkh'): Promise<WalletCoin[]> {
    const scan = (await rpc('scantxoutset', ['start', [`raw(${toDigits(scripts[address])})`]])) as Scan;
    const mature = scan.unspents.filter(({ coinbase, height }) => !coinbase || scan.height + 1 - height >= COINBASE_MATURITY);
    const free: WalletCoin[] = [];
    for (const { txid, vout, amount } of mature) {
      if ((await rpc('gettxout', [txid, vout, true])) === null) continue;
      free.push({ txid, vout, valueSats: satsFromBtc(amount), script: scripts[address] });
    }
    return free.sort((a, b) => Number(b.valueSats - a.valueSats) || a.txid.localeCompare(b.txid));
  }

  async function pay({ outputs, from = 'p2wpkh', feeRate = 2 }: PayRequest): Promise<{ txid: string; tx: Transaction }> {
    const paid = outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n);
    const inputs: WalletCoin[] = [];
    let has = 0n;
    for (const coin of await coins(from)) {
      inputs.push(coin);
      has += coin.valueSats;
      const make = (changeSats: bigint): Transaction => {
        const change = changeSats < DUST_SATS ? [] : [{ to: addresses[from], valueSats: changeSats }];
        return signTransaction(buildTransaction({ inputs, outputs: [...outputs, ...change] }), inputs, [secretKey]);
      };
      const fee = BigInt(Math.ceil(make(has).virtualSize() * feeRate));
      if (has < paid + fee) continue;
      const tx = make(has - paid - fee);
      return { txid: (await rpc('sendrawtransaction', [tx.toHex()])) as string, tx };
    }
    throw new Error(`the wallet has ${has} sats in ${inputs.length} ${from} coins, and ${paid} and a fee are needed`);
  }

  return {
    secretKey,
    publicKey,
    addresses,
    scripts,
    coins,
    pay,
    mine: async (count, address = 'p2wpkh') => (await rpc('generatetoaddress', [count, addresses[address]])) as string[],
  };
}

interface Scan {
  height: number;
  unspents: { txid: string; vout: number; amount: number; coinbase: boolean; height: number }[];
}

/** An unsigned transaction. */
export function buildTransaction({ inputs, outputs, sequence = 0xfffffffd, locktime = 0, version = 2 }: BuildRequest): Transaction {
  const tx = new Transaction();
  tx.version = version;
  tx.locktime = locktime;
  for (const { txid, vout } of inputs) tx.addInput(fromDisplay(txid), vout, sequence);
  for (const { to, valueSats } of outputs) {
    const script = typeof to === 'string' ? addressToScript(to, 'regtest') : to;
    if (script === undefined) throw new Error(`not an address of regtest: ${String(to)}`);
    tx.addOutput(script, valueSats);
  }
  return tx;
}

/** The output of a transaction as a coin to spend. */
export function coinOf(tx: Transaction, vout: number, witnessScript?: Uint8Array): WalletCoin {
  const output = tx.outs[vout];
  if (output === undefined) throw new Error(`the transaction has no output ${vout}`);
  const coin = { txid: toDisplay(tx.getHash()), vout, valueSats: output.value, script: output.script };
  return witnessScript === undefined ? coin : { ...coin, witnessScript };
}

/**
 * Signs every input with the keys it needs: P2PKH, P2WPKH and P2TR with the first key, P2WSH multisig with all of them
 * in the order of the script. `hashType` is SIGHASH_ALL (SIGHASH_DEFAULT for P2TR) when left out.
 */
export function signTransaction(tx: Transaction, coins: readonly WalletCoin[], keys: readonly Uint8Array[], hashType?: number): Transaction {
  for (const [i, coin] of coins.entries()) signInput(tx, i, { coins, coin, keys, hashType });
  return tx;
}

interface SignInput {
  coins: readonly WalletCoin[];
  coin: WalletCoin;
  keys: readonly Uint8Array[];
  hashType: number | undefined;
}

function signInput(tx: Transaction, index: number, { coins, coin, keys, hashType }: SignInput): void {
  const [key] = keys;
  if (key === undefined) throw new Error('a key is needed');
  const type = hashType ?? Transaction.SIGHASH_ALL;
  const ecdsa = (digest: Uint8Array, by: Uint8Array): Uint8Array => bitcoinScript.signature.encode(sign(digest, by, { prehash: false }), type);
  if (coin.script[0] === 0x76) {
    // Without an output of its own, SIGHASH_SINGLE signs the number 1, which bitcoinjs-lib writes the wrong way round.
    const isLost = (type & 0x1f) === Transaction.SIGHASH_SINGLE && index >= tx.outs.length;
    const signature = ecdsa(isLost ? Uint8Array.of(1, ...new Uint8Array(31)) : tx.hashForSignature(index, coin.script, type), key);
    tx.setInputScript(index, bitcoinScript.compile([signature, getPublicKey(key)]));
  } else if (coin.script[0] === 0x51) {
    const taprootType = hashType ?? Transaction.SIGHASH_DEFAULT;
    const digest = tx.hashForWitnessV1(
      index,
      coins.map(({ script }) => script),
      coins.map(({ valueSats }) => valueSats),
      taprootType,
    );
    const signature = schnorr.sign(digest, key, new Uint8Array(32));
    tx.setWitness(index, [taprootType === 0 ? signature : concat(signature, Uint8Array.of(taprootType))]);
  } else if (coin.witnessScript !== undefined) {
    const digest = tx.hashForWitnessV0(index, coin.witnessScript, coin.valueSats, type);
    tx.setWitness(index, [new Uint8Array(), ...keys.map((by) => ecdsa(digest, by)), coin.witnessScript]);
  } else {
    const script = concat(Uint8Array.of(0x76, 0xa9, 20), coin.script.subarray(2), Uint8Array.of(0x88, 0xac));
    const signature = ecdsa(tx.hashForWitnessV0(index, script, coin.valueSats, type), key);
    tx.setWitness(index, [signature, getPublicKey(key)]);
  }
}

/** An m-of-n script over compressed keys, and the P2WSH output script and address that hide it. */
export function multisigOf(required: number, publicKeys: readonly Uint8Array[]): { witnessScript: Uint8Array; script: Uint8Array; address: string } {
  const pushes = publicKeys.map((key) => concat(Uint8Array.of(key.length), key));
  const witnessScript = concat(Uint8Array.of(0x50 + required), ...pushes, Uint8Array.of(0x50 + publicKeys.length, 0xae));
  const script = concat(Uint8Array.of(0, 32), sha256(witnessScript));
  return { witnessScript, script, address: scriptToAddress(script, 'regtest') ?? '' };
}
