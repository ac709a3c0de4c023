import { createBitcoinView, MAX_ROWS } from '@hemid/bitcoin';
import { bindAll } from '@hemid/hvm';
import { type BitcoinView, compare, toDigits } from '@hemid/protocol';
import {
  type BitcoinLab,
  type CountingStore,
  createBitcoinLab,
  createCountingStore,
  createSeededRandom,
  dumpStore,
  type SeededRandom,
} from '@hemid/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, checkForm } from './answer-form.ts';
import { CASES, SEED, TIMEOUT_MS } from './campaign.ts';
import { pick } from './mutation.ts';
import { inputFor } from './precompile-input.ts';
import { mineRandomBitcoin, type RandomBitcoin } from './random-bitcoin.ts';

const HEIGHT = 60;
const PLENTY = 1_000_000n;
const ANSWERED = 128 + 128;
const DEFAULT_LIMIT = 10;

/** Rows that one call may read at most, by precompile and, for 0x41, by the number of outputs it asks for. */
const ROWS = new Map<number, (input: Uint8Array) => number>([
  [0x40, () => MAX_ROWS.balance],
  [0x41, (input) => MAX_ROWS.unspent(input.at(-1) || DEFAULT_LIMIT)],
  [0x42, () => MAX_ROWS.transaction + ANSWERED * MAX_ROWS.output],
  [0x43, () => MAX_ROWS.heightOfTransaction],
  [0x44, () => 0],
  [0x45, () => 0],
  [0x46, () => 0],
  [0x47, () => MAX_ROWS.transaction + MAX_ROWS.output],
  [0x48, () => MAX_ROWS.transaction + MAX_ROWS.output],
  [0x49, () => MAX_ROWS.transaction],
]);

/** A node's view of one Bitcoin tip, and the rows it reads. */
interface Asked {
  store: CountingStore;
  answer(address: number, input: Uint8Array): Promise<Answer>;
}

function ask(lab: BitcoinLab, tip: Uint8Array): Asked {
  const store = createCountingStore(lab.store);
  const view: BitcoinView = createBitcoinView({ ...lab, store }, tip);
  const precompiles = new Map(bindAll(view, lab.spec).map((one) => [Number(one.address.toString()), one]));
  return {
    store,
    async answer(address, input) {
      const { returnValue, exceptionError } = await (precompiles.get(address) as NonNullable<ReturnType<typeof precompiles.get>>).function({
        data: input,
        gasLimit: PLENTY,
      } as never);
      return exceptionError === undefined ? returnValue : undefined;
    },
  };
}

/** Another node with the same blocks, whose index goes from one of them to the next before it stands on the tip. */
async function wander(random: SeededRandom, bitcoin: RandomBitcoin, stops: number): Promise<BitcoinLab> {
  const lab = await createBitcoinLab({ indexLag: 2 });
  for (const hash of bitcoin.hashes) await lab.take(bitcoin.lab.blocks.readRaw(hash) as Uint8Array);
  for (let i = 0; i < stops; i += 1) await lab.stand(pick(random, bitcoin.hashes));
  await lab.stand(bitcoin.tip);
  return lab;
}

let bitcoin: RandomBitcoin;
let wandered: BitcoinLab;
/** The tip and some blocks below it, as two nodes with different pasts see them. */
let views: [direct: Asked, wandered: Asked][];
beforeAll(async () => {
  const random = createSeededRandom(SEED);
  bitcoin = await mineRandomBitcoin(random, HEIGHT);
  await bitcoin.lab.stand(bitcoin.tip);
  wandered = await wander(random, bitcoin, 40);
  const heights = [HEIGHT, HEIGHT - 1, 40, 17, 3];
  const tips = heights.map((height) => bitcoin.lab.headers.ancestor(bitcoin.tip, height)?.hash as Uint8Array);
  views = tips.map((tip) => [ask(bitcoin.lab, tip), ask(wandered, tip)]);
}, TIMEOUT_MS);

test('two nodes that came to a tip on different ways have the same rows', async () => {
  const indexed = async (lab: BitcoinLab): Promise<string[]> => (await dumpStore(lab.store)).filter((row) => /^[oaAdtpx] /.test(row));
  const rows = await indexed(bitcoin.lab);
  expect(rows.length).toBeGreaterThan(1_000);
  expect(await indexed(wandered)).toEqual(rows);
});

describe(`${CASES} random inputs, seed ${SEED}`, () => {
  for (const [address, mostRows] of ROWS) {
    const name = `0x${address.toString(16)}`;
    test(
      `${name} never throws, answers in its form, reads no more rows than it may, and the same on both nodes`,
      async () => {
        const random = createSeededRandom(SEED + address);
        const seen = { values: 0, empty: 0, failed: 0 };
        for (let i = 0; i < CASES; i += 1) {
          const input = inputFor(random, address, bitcoin);
          const [direct, other] = pick(random, views);
          try {
            direct.store.takeCount();
            const answer = await direct.answer(address, input);
            const rows = direct.store.takeCount();
            if (rows > mostRows(input)) throw new Error(`${rows} rows were read`);
            checkForm(address, input, answer);
            const same = await other.answer(address, input);
            if ((answer === undefined) !== (same === undefined) || compare(answer ?? input, same ?? input) !== 0) {
              throw new Error(`the nodes differ: ${answer && toDigits(answer)} and ${same && toDigits(same)}`);
            }
            seen[answer === undefined ? 'failed' : answer.length === 0 ? 'empty' : 'values'] += 1;
          } catch (cause) {
            throw new Error(`${name}(${toDigits(input)}), case ${i} of seed ${SEED}: ${(cause as Error).message}`, { cause });
          }
        }
        // A campaign that only sees refusals proves nothing.
        expect(seen.values).toBeGreaterThan(CASES / 20);
        if (address !== 0x44) expect(seen.empty + seen.failed).toBeGreaterThan(CASES / 20);
      },
      TIMEOUT_MS,
    );
  }
});
