import { type BitcoinRpc, satsFromBtc } from '@hemid/bitcoin';
import { fromDisplay, fromHex, type Hex, toDisplay, toHex } from '@hemid/protocol';
import { type BitcoinWallet, buildTransaction, coinOf, createBitcoinWallet, signTransaction, type WalletCoin } from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';

/** Nobody's address, which the blocks of a scene pay. */
export const NOBODY = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
/** What the OP_RETURN of the scene's transaction carries: 80 bytes. */
export const PAYLOAD = toHex(Uint8Array.from({ length: 80 }, (_, i) => i + 1));

/** Bitcoin transactions to read, all in blocks, and three more blocks on top of the first of them and two on the last. */
export interface KitScene {
  /** Whose addresses nobody paid before. */
  reader: BitcoinWallet;
  /** Txids, display order: pays the reader with coins of unknown origin. */
  funding: string;
  /** Spends a P2PKH and a P2TR output of `funding`; has an OP_RETURN, a spent and two unspent outputs. */
  spend: string;
  /** Spends the first output of `spend`. */
  last: string;
  /** The block of each of the three. */
  blockOf: Record<string, string>;
  /** Height of the block that holds `last`. */
  height: number;
}

interface SceneBitcoin {
  rpc: BitcoinRpc;
  /** Has mature coins. */
  wallet: BitcoinWallet;
  /** Mines one block to {@link NOBODY}. */
  mine(): Promise<unknown>;
}

export async function playKitScene({ rpc, wallet, mine }: SceneBitcoin): Promise<KitScene> {
  const reader = createBitcoinWallet({ rpc, secret: 'reader of the Bitcoin kit' });
  const { addresses, secretKey } = reader;
  const blockOf: Record<string, string> = {};

  async function mineWith(tx: Transaction): Promise<string> {
    await mine();
    const txid = toDisplay(tx.getHash());
    blockOf[txid] = (await rpc('getbestblockhash', [])) as string;
    return txid;
  }

  async function send(tx: Transaction, coins: WalletCoin[]): Promise<string> {
    await rpc('sendrawtransaction', [signTransaction(tx, coins, [secretKey]).toHex()]);
    return mineWith(tx);
  }

  const paid = await wallet.pay({
    outputs: [
      { to: addresses.p2pkh, valueSats: 1_000_000n },
      { to: addresses.p2tr, valueSats: 2_000_000n },
      { to: addresses.p2wpkh, valueSats: 3_000_000n },
    ],
  });
  const funding = await mineWith(paid.tx);

  const coins = [coinOf(paid.tx, 0), coinOf(paid.tx, 1)];
  const spending = buildTransaction({
    inputs: coins,
    outputs: [
      { to: addresses.p2wpkh, valueSats: 500_000n },
      { to: fromHex(`0x6a4c50${PAYLOAD.slice(2)}`), valueSats: 0n },
      { to: addresses.p2tr, valueSats: 1_200_000n },
      { to: NOBODY, valueSats: 1_200_000n },
    ],
    locktime: 100,
  });
  const spend = await send(spending, coins);

  const coin = coinOf(spending, 0);
  const lastTransaction = buildTransaction({
    inputs: [coin],
    outputs: [
      { to: addresses.p2pkh, valueSats: 200_000n },
      { to: addresses.p2wpkh, valueSats: 100_000n },
      { to: addresses.p2wpkh, valueSats: 150_000n },
    ],
  });
  const last = await send(lastTransaction, [coin]);
  const height = (await rpc('getblockcount', [])) as number;
  await mine();
  await mine();
  return { reader, funding, spend, last, blockOf, height };
}

interface RpcTransaction {
  version: number;
  size: number;
  weight: number;
  locktime: number;
  vin: { txid: string; vout: number; scriptSig: { hex: string }; txinwitness?: string[]; sequence: number }[];
  vout: { value: number; scriptPubKey: { hex: string; type: string } }[];
}

interface RpcHeader {
  hash: string;
  version: number;
  previousblockhash: string;
  merkleroot: string;
  time: number;
  bits: string;
  nonce: number;
}

/** What Bitcoin's own node says, in the structs of the kit; scripts cut to `maxScript` bytes. */
export function createBitcoinAnswers(rpc: BitcoinRpc, { blockOf }: KitScene) {
  const hex = (digits: string): Hex => `0x${digits}`;
  const cut = (digits: string, maxScript: number): Hex => hex(digits.slice(0, 2 * maxScript));
  const read = async (txid: string): Promise<RpcTransaction> => (await rpc('getrawtransaction', [txid, 1, blockOf[txid]])) as RpcTransaction;

  async function inputs(txid: string, maxScript = 64) {
    const { vin } = await read(txid);
    return Promise.all(
      vin.map(async (input) => {
        const source = (await read(input.txid)).vout[input.vout];
        const length = input.scriptSig.hex.length / 2;
        return {
          witnessElements: BigInt(input.txinwitness?.length ?? 0),
          inValue: satsFromBtc(source?.value ?? 0),
          inputTxId: hex(input.txid),
          sourceIndex: BigInt(input.vout),
          scriptSig: cut(input.scriptSig.hex, maxScript),
          sequence: BigInt(input.sequence),
          fullScriptSigLength: BigInt(length),
          containsFullScriptSig: length <= maxScript,
        };
      }),
    );
  }

  async function outputs(txid: string, maxScript = 64) {
    const { vout } = await read(txid);
    return Promise.all(
      vout.map(async ({ value, scriptPubKey }, i) => {
        const isOpReturn = scriptPubKey.type === 'nulldata';
        const length = scriptPubKey.hex.length / 2;
        const script = cut(scriptPubKey.hex, maxScript);
        return {
          outValue: satsFromBtc(value),
          script,
          outputAddress: '',
          isOpReturn,
          // The scene's only OP_RETURN pushes by OP_PUSHDATA1: three bytes come before the data.
          opReturnData: isOpReturn ? hex(script.slice(2 + 6)) : '0x',
          isSpent: !isOpReturn && (await rpc('gettxout', [txid, i, false])) === null,
          fullScriptLength: BigInt(length),
          containsFullScript: length <= maxScript,
        };
      }),
    );
  }

  return {
    inputs,
    outputs,

    async transaction(txid: string) {
      const { version, size, weight, locktime, vin, vout } = await read(txid);
      return {
        containingBlockHash: hex(blockOf[txid] ?? ''),
        transactionVersion: BigInt(version),
        size: BigInt(size),
        // The size without witnesses: a byte of it weighs three more than a byte of the whole.
        vSize: BigInt((weight - size) / 3),
        lockTime: BigInt(locktime),
        inputs: await inputs(txid),
        outputs: await outputs(txid),
        totalInputs: BigInt(vin.length),
        totalOutputs: BigInt(vout.length),
        containsAllInputs: true,
        containsAllOutputs: true,
      };
    },

    async confirmations(txid: string): Promise<number> {
      const { confirmations } = (await rpc('getblockheader', [blockOf[txid]])) as { confirmations: number };
      return confirmations;
    },

    /** Unspent outputs of a script in the order of the kit. */
    async unspent(script: Uint8Array) {
      const { unspents } = (await rpc('scantxoutset', ['start', [`raw(${Buffer.from(script).toString('hex')})`]])) as {
        unspents: { txid: string; vout: number; amount: number }[];
      };
      return unspents
        .sort((a, b) => Buffer.compare(fromDisplay(a.txid), fromDisplay(b.txid)) || a.vout - b.vout)
        .map(({ txid, vout, amount }) => ({ txId: hex(txid), index: BigInt(vout), value: satsFromBtc(amount), scriptPubKey: '0x' as Hex }));
    },

    async header(height: number) {
      const header = (await rpc('getblockheader', [await rpc('getblockhash', [height])])) as RpcHeader;
      return {
        height,
        blockHash: hex(header.hash),
        version: header.version,
        previousBlockHash: hex(header.previousblockhash),
        merkleRoot: hex(header.merkleroot),
        timestamp: header.time,
        bits: Number.parseInt(header.bits, 16),
        nonce: header.nonce,
      };
    },
  };
}

export type BitcoinAnswers = ReturnType<typeof createBitcoinAnswers>;
