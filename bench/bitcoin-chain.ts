import { createHash, createHmac } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTransaction, createBitcoinWallet, signTransaction } from '../packages/testkit/src/bitcoin-wallet.ts';
import { devSpecJson } from '../packages/testkit/src/dev-spec.ts';
import { type BenchBitcoind, startBenchBitcoind } from './bitcoind.ts';

/** The chain that is measured: `blocks` blocks with `transactions` each, behind one that makes their coins. */
export interface ChainShape {
  blocks: number;
  transactions: number;
  /** Of each block's transactions, so many spend a P2WPKH output and are signed; the others spend P2WSH(OP_TRUE). */
  signed: number;
}

export const SHAPE: ChainShape = { blocks: 2_000, transactions: 500, signed: 5 };
/** Height of the hVM genesis: what comes below makes money. */
export const GENESIS_HEIGHT = 110;

const OP_TRUE = Uint8Array.of(0x51);
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const sha256d = (bytes: Uint8Array): Buffer => sha256(sha256(bytes));
const P2WSH = Buffer.concat([Uint8Array.of(0, 32), sha256(OP_TRUE)]);
const COMMITMENT_HEAD = Buffer.from('6a24aa21a9ed', 'hex');
const MAX_TARGET_BYTE = 0x7f;
const PAID_SATS = 1_000n;

interface Coin {
  txid: Buffer;
  vout: number;
  valueSats: bigint;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
const count = (n: number): Buffer => (n < 0xfd ? Buffer.from([n]) : Buffer.from([0xfd, n & 0xff, n >> 8]));
const outputBytes = (valueSats: bigint, script: Uint8Array): Buffer => Buffer.concat([u64(valueSats), count(script.length), script]);

function merkleRoot(leaves: readonly Buffer[]): Buffer {
  let level = [...leaves];
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2) next.push(sha256d(Buffer.concat([level[i] as Buffer, (level[i + 1] ?? level[i]) as Buffer])));
    level = next;
  }
  return level[0] as Buffer;
}

interface Built {
  raw: Buffer;
  txid: Buffer;
}

/** One input, some outputs, a witness. */
function transaction(coin: Coin, outputs: Buffer, outputCount: number, witness: Buffer): Built {
  const version = u32(2);
  const body = Buffer.concat([Uint8Array.of(1), coin.txid, u32(coin.vout), Uint8Array.of(0), u32(0xfffffffd), count(outputCount), outputs]);
  const locktime = u32(0);
  return {
    raw: Buffer.concat([version, Uint8Array.of(0, 1), body, witness, locktime]),
    txid: sha256d(Buffer.concat([version, body, locktime])),
  };
}

function coinbase(height: number, commitment: Buffer): Built {
  const scriptSig = Buffer.from(height < 128 ? [1, height, 0] : [2, height & 0xff, height >> 8, 0]);
  const version = u32(2);
  const script = Buffer.concat([COMMITMENT_HEAD, commitment]);
  const body = Buffer.concat([
    ...[Uint8Array.of(1), Buffer.alloc(32), u32(0xffffffff), count(scriptSig.length), scriptSig, u32(0xffffffff)],
    ...[Uint8Array.of(2), outputBytes(0n, P2WSH), outputBytes(0n, script)],
  ]);
  const locktime = u32(0);
  return {
    raw: Buffer.concat([version, Uint8Array.of(0, 1), body, Uint8Array.of(1, 32), Buffer.alloc(32), locktime]),
    txid: sha256d(Buffer.concat([version, body, locktime])),
  };
}

interface Parent {
  hash: Buffer;
  height: number;
  time: number;
}

function buildBlock(parent: Parent, transactions: readonly Built[]): { raw: Buffer; tip: Parent } {
  const wtxids = [Buffer.alloc(32), ...transactions.map(({ raw }) => sha256d(raw))];
  const first = coinbase(parent.height + 1, sha256d(Buffer.concat([merkleRoot(wtxids), Buffer.alloc(32)])));
  const all = [first, ...transactions];
  const time = parent.time + 1;
  const header = Buffer.concat([u32(0x20000000), parent.hash, merkleRoot(all.map(({ txid }) => txid)), u32(time), u32(0x207fffff), u32(0)]);
  let hash = sha256d(header);
  for (let nonce = 1; (hash[31] as number) >= MAX_TARGET_BYTE; nonce += 1) {
    header.writeUInt32LE(nonce, 76);
    hash = sha256d(header);
  }
  return { raw: Buffer.concat([header, count(all.length), ...all.map(({ raw }) => raw)]), tip: { hash, height: parent.height + 1, time } };
}

/** A different P2WPKH output each time: nobody's. */
function strangerScript(block: number, i: number): Buffer {
  const hash = createHmac('sha256', 'bench').update(`${block}/${i}`).digest().subarray(0, 20);
  return Buffer.concat([Uint8Array.of(0, 20), hash]);
}

/** Builds the chain with a bitcoind of its own, block by block through `submitblock`, into `directory`. */
async function build(directory: string, shape: ChainShape): Promise<void> {
  const bitcoind: BenchBitcoind = await startBenchBitcoind(directory, []);
  const wallet = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'bench' });
  await wallet.mine(GENESIS_HEIGHT);
  writeFileSync(join(directory, 'spec.json'), JSON.stringify(await devSpecJson(bitcoind.rpc, Math.floor(Date.now() / 1000))));
  const best = (await bitcoind.rpc('getblockheader', [await bitcoind.rpc('getbestblockhash', [])])) as { hash: string; height: number; time: number };
  let tip: Parent = { hash: Buffer.from(best.hash, 'hex').reverse(), height: best.height, time: best.time };

  async function submit(transactions: readonly Built[]): Promise<void> {
    const { raw, tip: next } = buildBlock(tip, transactions);
    const refusal = await bitcoind.rpc('submitblock', [raw.toString('hex')]);
    if (refusal !== null) throw new Error(`block ${next.height} was refused: ${String(refusal)}`);
    tip = next;
  }

  const [money] = await wallet.coins();
  if (money === undefined) throw new Error('no mature coin');
  const each = money.valueSats / BigInt(shape.transactions);
  const fan = signTransaction(
    buildTransaction({
      inputs: [money],
      outputs: Array.from({ length: shape.transactions }, (_, i) => ({ to: i < shape.signed ? wallet.scripts.p2wpkh : P2WSH, valueSats: each })),
    }),
    [money],
    [wallet.secretKey],
  );
  await submit([{ raw: Buffer.from(fan.toBuffer()), txid: Buffer.from(fan.getHash()) }]);
  let coins: Coin[] = fan.outs.map((_, vout) => ({ txid: Buffer.from(fan.getHash()), vout, valueSats: each }));
  for (let block = 0; block < shape.blocks; block += 1) {
    const made = coins.map((coin, i): { built: Built; next: Coin } => {
      const left = coin.valueSats - PAID_SATS;
      const stranger = strangerScript(block, i);
      if (i < shape.signed) {
        const input = {
          txid: Buffer.from(coin.txid).reverse().toString('hex'),
          vout: coin.vout,
          valueSats: coin.valueSats,
          script: wallet.scripts.p2wpkh,
        };
        const outputs = [
          { to: wallet.scripts.p2wpkh, valueSats: left },
          { to: new Uint8Array(stranger), valueSats: PAID_SATS },
        ];
        const tx = signTransaction(buildTransaction({ inputs: [input], outputs }), [input], [wallet.secretKey]);
        const txid = Buffer.from(tx.getHash());
        return { built: { raw: Buffer.from(tx.toBuffer()), txid }, next: { txid, vout: 0, valueSats: left } };
      }
      const outputs = Buffer.concat([outputBytes(left, P2WSH), outputBytes(PAID_SATS, stranger)]);
      const built = transaction(coin, outputs, 2, Buffer.concat([Uint8Array.of(1, 1), OP_TRUE]));
      return { built, next: { txid: built.txid, vout: 0, valueSats: left } };
    });
    await submit(made.map(({ built }) => built));
    coins = made.map(({ next }) => next);
    if ((block + 1) % 200 === 0) console.error(`built ${block + 1} of ${shape.blocks} blocks`);
  }
  await bitcoind.stop();
}

/** The data directory of a bitcoind with the chain, built once and kept outside the checkout. @returns its path. */
export async function cachedChain(cache: string, shape: ChainShape): Promise<string> {
  const directory = join(cache, `bitcoin-v1-${shape.blocks}x${shape.transactions}s${shape.signed}`);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  console.error(`building ${shape.blocks} blocks of ${shape.transactions} transactions in ${directory} (once)`);
  await build(unfinished, shape);
  renameSync(unfinished, directory);
  return directory;
}
