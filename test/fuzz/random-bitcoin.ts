import { concat, toDigits } from '@hemid/protocol';
import {
  type BitcoinLab,
  createBitcoinLab,
  type LabInput,
  type LabOutput,
  type LabTransaction,
  labTransaction,
  type SeededRandom,
} from '@hemid/testkit';
import { bytesOf, pick } from './mutation.ts';

interface Coin {
  txid: Uint8Array;
  vout: number;
}

/** What a branch has made: coins to spend, transactions it must not repeat. */
interface Branch {
  tip: Uint8Array;
  coins: Coin[];
  txids: Set<string>;
}

/** A Bitcoin with forks, all of its blocks in the store of a lab. */
export interface RandomBitcoin {
  lab: BitcoinLab;
  /** The longest branch's tip. */
  tip: Uint8Array;
  /** Every block, in the order in which they were mined. */
  hashes: Uint8Array[];
  /** Every transaction of every branch, internal order. */
  txids: Uint8Array[];
  /** Those of them that are no coinbases. */
  payments: Uint8Array[];
  /** Scripts that are paid again and again. */
  scripts: Uint8Array[];
}

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte);

/** Two owners for each form of address. */
function ownerScripts(random: SeededRandom): Uint8Array[] {
  return [0, 1].flatMap(() => [
    concat(Uint8Array.of(0x76, 0xa9, 0x14), bytesOf(random, 20), Uint8Array.of(0x88, 0xac)),
    concat(Uint8Array.of(0xa9, 0x14), bytesOf(random, 20), Uint8Array.of(0x87)),
    concat(Uint8Array.of(0, 20), bytesOf(random, 20)),
    concat(Uint8Array.of(0, 32), bytesOf(random, 32)),
    concat(Uint8Array.of(0x51, 32), bytesOf(random, 32)),
  ]);
}

function strangeScript(random: SeededRandom): Uint8Array {
  return pick(random, [
    () => new Uint8Array(),
    () => Uint8Array.of(0x6a),
    () => concat(Uint8Array.of(0x6a, 40), bytesOf(random, 40)),
    () => filled(10_000, 0x51),
    () => filled(10_001, 0x51),
    () => bytesOf(random, random.between(1, 200)),
  ])();
}

function outputsOf(random: SeededRandom, scripts: readonly Uint8Array[], most: number): LabOutput[] {
  return Array.from({ length: random.between(1, most) }, () => ({
    script: random.next() < 0.85 ? pick(random, scripts) : strangeScript(random),
    valueSats: BigInt(random.between(0, 2 ** 31)) * BigInt(random.between(0, 3)),
  }));
}

function witnessOf(random: SeededRandom): Uint8Array[] {
  if (random.next() < 0.5) return [];
  if (random.next() < 0.02) return [filled(70_000, random.between(0, 255))];
  return Array.from({ length: random.between(1, 5) }, () => bytesOf(random, random.between(0, 80)));
}

function inputsOf(random: SeededRandom, branch: Branch): LabInput[] {
  const count = random.next() < 0.05 ? 150 : random.between(1, 6);
  const coins = Array.from({ length: count }, () => branch.coins.splice(Math.floor((1 - random.next() ** 2) * branch.coins.length), 1)[0]);
  const known: Coin[] = coins.filter((coin) => coin !== undefined);
  // From before the hVM genesis, or never made: nobody can know.
  if (known.length === 0 || random.next() < 0.1) known.push({ txid: bytesOf(random, 32), vout: random.between(0, 5) });
  return known.map((coin) => ({
    ...coin,
    scriptSig: bytesOf(random, random.between(0, 110)),
    sequence: random.between(0, 0xffffffff),
    witness: witnessOf(random),
  }));
}

/** Mines a random chain of `height` blocks with forks of up to five; side branches carry some of the same transactions. */
export async function mineRandomBitcoin(random: SeededRandom, height: number): Promise<RandomBitcoin> {
  const lab = await createBitcoinLab({ indexLag: 2 });
  const scripts = ownerScripts(random);
  const hashes: Uint8Array[] = [];
  const txids: Uint8Array[] = [];
  const payments: Uint8Array[] = [];

  function receive(branch: Branch, txid: Uint8Array, outputs: number): void {
    branch.txids.add(toDigits(txid));
    for (let vout = 0; vout < outputs; vout += 1) branch.coins.push({ txid, vout });
    txids.push(txid);
  }

  function transactionOn(branch: Branch): LabTransaction {
    const many = random.next() < 0.05 ? 200 : 6;
    const options = { version: random.between(0, 0xffffffff), locktime: random.between(0, 0xffffffff) };
    const transaction = labTransaction(inputsOf(random, branch), outputsOf(random, scripts, many), options);
    receive(branch, transaction.getHash(), transaction.outs.length);
    payments.push(transaction.getHash());
    return transaction;
  }

  /** A block with new transactions, and with those of another branch that fit. */
  async function mineOn(branch: Branch, others: readonly LabTransaction[]): Promise<LabTransaction[]> {
    const moved = others.filter((one) => random.next() < 0.5 && !branch.txids.has(toDigits(one.getHash())));
    for (const one of moved) receive(branch, one.getHash(), one.outs.length);
    const transactions = [...moved, ...Array.from({ length: random.between(0, 4) }, () => transactionOn(branch))];
    branch.tip = await lab.mine({ on: branch.tip, transactions, reward: outputsOf(random, scripts, 20) });
    hashes.push(branch.tip);
    receive(branch, lab.coinbase(branch.tip), lab.blocks.get(branch.tip).transactions[0]?.outputs.length ?? 0);
    return transactions;
  }

  const main: Branch = { tip: lab.headers.genesis.hash, coins: [], txids: new Set() };
  for (let mined = 0; mined < height; ) {
    const side: Branch = { tip: main.tip, coins: [...main.coins], txids: new Set(main.txids) };
    const depth = Math.min(random.between(1, 5), height - mined);
    const others: LabTransaction[] = [];
    for (let i = 0; i < depth; i += 1) others.push(...(await mineOn(side, [])));
    for (let i = 0; i < depth; i += 1) await mineOn(main, others);
    mined += depth;
  }
  return { lab, tip: main.tip, hashes, txids, payments, scripts };
}
