import { merkleRoot, parseBlock, readTransactionAt, toBitcoinTransaction } from '@hemid/bitcoin';
import { compare, concat, isHemidError, sizesOf, toDigits } from '@hemid/protocol';
import { createSeededRandom, type SeededRandom } from '@hemid/testkit';
import { Block, Transaction } from 'bitcoinjs-lib';
import { beforeAll, expect, test } from 'vitest';
import { CASES, SEED, TIMEOUT_MS } from './campaign.ts';
import { bytesOf, mutate, pick } from './mutation.ts';
import { mineRandomBitcoin } from './random-bitcoin.ts';

/** Larger blocks take time to copy, and have nothing that smaller ones have not. */
const MAX_SIZE = 40_000;
const SLOW_MS = 2_000;
const MAX_GROWTH_BYTES = 512 << 20;

let blocks: Uint8Array[];
let bodies: Set<string>;
beforeAll(async () => {
  const bitcoin = await mineRandomBitcoin(createSeededRandom(SEED), 40);
  const raws = bitcoin.hashes.map((hash) => bitcoin.lab.blocks.readRaw(hash) as Uint8Array);
  blocks = raws.filter((raw) => raw.length <= MAX_SIZE);
  bodies = new Set(blocks.map((raw) => toDigits(raw.subarray(80))));
}, TIMEOUT_MS);

/** Mutated once or a few times. */
function mutated(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  let changed = mutate(random, bytes);
  while (random.next() < 0.3) changed = mutate(random, changed);
  return changed;
}

/** Runs a campaign whose every case must be quick, and which must not keep or take memory. */
function campaign(cases: number, run: (random: SeededRandom) => void): void {
  const random = createSeededRandom(SEED);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < cases; i += 1) {
    const start = performance.now();
    try {
      run(random);
    } catch (cause) {
      throw new Error(`case ${i} of seed ${SEED}: ${(cause as Error).message}`, { cause });
    }
    const took = performance.now() - start;
    if (took > SLOW_MS) throw new Error(`case ${i} of seed ${SEED} took ${Math.round(took)} ms`);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH_BYTES);
}

/** A block, or nothing when it is refused; whatever else is thrown is a crash. */
function parse(raw: Uint8Array): ReturnType<typeof parseBlock> | undefined {
  try {
    return parseBlock(raw);
  } catch (error) {
    if (isHemidError(error, 'bitcoin/block-invalid')) return undefined;
    throw error;
  }
}

test('the blocks that are mutated are valid themselves', () => {
  expect(blocks.length).toBeGreaterThan(40);
  for (const raw of blocks) expect(parse(raw)).toBeDefined();
});

test(
  `a mutated block is refused as invalid, or has the body it had (${CASES} cases)`,
  () => {
    const seen = { accepted: 0, refused: 0 };
    campaign(CASES, (random) => {
      const raw = mutated(random, pick(random, blocks));
      const block = parse(raw);
      seen[block === undefined ? 'refused' : 'accepted'] += 1;
      if (block !== undefined && !bodies.has(toDigits(raw.subarray(80)))) throw new Error(`a changed body was accepted: ${toDigits(raw)}`);
    });
    expect(seen.refused).toBeGreaterThan(CASES / 2);
  },
  TIMEOUT_MS,
);

test('a count that no block can hold is refused at once, and nothing is allocated for it', () => {
  const [raw] = blocks as [Uint8Array];
  const header = raw.subarray(0, 80);
  const version = Uint8Array.of(2, 0, 0, 0);
  const absurd = ['fdffff', 'feffffffff', 'ffffffffffffffffff', 'ff0000000001000000', 'ffffffffffffff1f00'].map((text) =>
    Uint8Array.from(Buffer.from(text, 'hex')),
  );
  const input = concat(new Uint8Array(36), Uint8Array.of(0), new Uint8Array(4));
  for (const count of absurd) {
    const before = process.memoryUsage();
    const start = performance.now();
    for (const body of [
      count,
      concat(Uint8Array.of(1), version, count),
      concat(Uint8Array.of(1), version, Uint8Array.of(1), new Uint8Array(36), count),
      concat(Uint8Array.of(1), version, Uint8Array.of(1), input, count),
      concat(Uint8Array.of(1), version, Uint8Array.of(1), input, Uint8Array.of(1), new Uint8Array(8), count),
      concat(Uint8Array.of(1), version, Uint8Array.of(0, 1, 1), input, Uint8Array.of(0), count),
      concat(Uint8Array.of(1), version, Uint8Array.of(0, 1, 1), input, Uint8Array.of(0, 1), count),
      concat(Uint8Array.of(1), version, Uint8Array.of(0, 1), count, new Uint8Array(1000)),
    ]) {
      expect(parse(concat(header, body))).toBeUndefined();
    }
    expect(performance.now() - start).toBeLessThan(SLOW_MS);
    const after = process.memoryUsage();
    expect(after.heapTotal + after.external - before.heapTotal - before.external).toBeLessThan(64 << 20);
  }
});

/** A transaction of any values at all. */
function anyTransaction(random: SeededRandom, isCoinbase: boolean): Transaction {
  const transaction = new Transaction();
  transaction.version = random.between(0, 0xffffffff);
  transaction.locktime = random.between(0, 0xffffffff);
  for (let i = isCoinbase ? 0 : random.between(-1, 3); i >= 0; i -= 1) {
    const at = transaction.addInput(
      isCoinbase ? new Uint8Array(32) : bytesOf(random, 32),
      random.between(0, 0xffffffff),
      random.between(0, 0xffffffff),
    );
    transaction.setWitness(
      at,
      random.next() < 0.5 ? [] : Array.from({ length: random.between(1, 3) }, () => bytesOf(random, pick(random, [0, 1, 32, 33]))),
    );
  }
  for (let i = random.between(0, 3); i > 0; i -= 1) {
    const script =
      random.next() < 0.4 ? concat(Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed), bytesOf(random, random.between(30, 40))) : bytesOf(random, 5);
    transaction.outs.push({ script, value: BigInt.asIntN(64, BigInt(random.between(0, 2 ** 32)) << BigInt(random.between(0, 40))) });
  }
  return transaction;
}

test(
  `a block of any transactions under its own merkle root is taken or refused as invalid (${CASES} cases)`,
  () => {
    const seen = { accepted: 0, refused: 0 };
    campaign(CASES, (random) => {
      const transactions = Array.from({ length: random.between(1, 4) }, (_, i) => anyTransaction(random, i === 0 && random.next() < 0.9));
      const isDoubled = transactions.length % 2 === 1 && random.next() < 0.2;
      if (isDoubled) transactions.push(transactions.at(-1) as Transaction);
      const header = bytesOf(random, 80);
      header.set(merkleRoot(transactions.map((transaction) => transaction.getHash())).root, 36);
      const raw = concat(header, Uint8Array.of(transactions.length), ...transactions.map((transaction) => transaction.toBuffer()));
      const block = parse(raw);
      seen[block === undefined ? 'refused' : 'accepted'] += 1;
      // The root is also that of the list without its double (CVE-2012-2459).
      if (block !== undefined && isDoubled) throw new Error(`a block with a doubled transaction was accepted: ${toDigits(raw)}`);
      for (const [i, one] of (block?.transactions ?? []).entries()) {
        if (one.outputs.some(({ valueSats }) => valueSats < 0n || valueSats >= 1n << 64n)) throw new Error('an amount is no u64');
        if (compare(readTransactionAt(raw, i).txid, one.txid) !== 0) throw new Error(`transaction ${i} is another one when it is read alone`);
      }
    });
    expect(seen.accepted).toBeGreaterThan(CASES / 50);
    expect(seen.refused).toBeGreaterThan(CASES / 50);
  },
  TIMEOUT_MS,
);

test(
  `a mutated transaction does not parse, or has the sizes that its writer counts (${CASES} cases)`,
  () => {
    const seen = { parsed: 0, refused: 0 };
    const transactions = blocks.flatMap((raw) => (Block.fromBuffer(raw).transactions ?? []).map((transaction) => transaction.toBuffer()));
    campaign(CASES, (random) => {
      const bytes = mutated(random, pick(random, transactions));
      let transaction: Transaction;
      try {
        transaction = Transaction.fromBuffer(bytes);
      } catch {
        seen.refused += 1;
        return;
      }
      seen.parsed += 1;
      const read = toBitcoinTransaction(transaction);
      if (read.outputs.some(({ valueSats }) => valueSats < 0n)) throw new Error(`a negative amount in ${toDigits(bytes)}`);
      const { total, stripped } = sizesOf(read);
      if (total !== transaction.byteLength(true) || stripped !== transaction.byteLength(false)) throw new Error(`sizes of ${toDigits(bytes)}`);
    });
    expect(seen.parsed).toBeGreaterThan(CASES / 50);
    expect(seen.refused).toBeGreaterThan(CASES / 50);
  },
  TIMEOUT_MS,
);
