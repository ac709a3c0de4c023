import { type BitcoinView, compare, concat, type Page, toHex } from '@hemid/protocol';
import { layout, NO_VERSION, openMemoryStore, type ScriptRow, type Store } from '@hemid/store';
import {
  type BitcoinLab,
  createBitcoinLab,
  createCountingStore,
  createSeededRandom,
  dumpStore,
  type LabOutput,
  type LabTransaction,
  labTransaction,
  type SeededRandom,
} from '@hemid/testkit';
import { describe, expect, test } from 'vitest';
import { addUnspent, bitcoinIndex, createBitcoinView, createWalker, hashScript, MAX_ROWS } from '../src/index.ts';

const script = (n: number): Uint8Array => concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(n));
const ALICE = script(1);
const BOB = script(2);
const ALL: Page = { skip: 0, limit: 1_000_000 };
const unavailable = expect.objectContaining({ code: 'bitcoin/view-unavailable', severity: 'retry' });

interface Coin extends LabOutput {
  txid: Uint8Array;
  vout: number;
}

const coinsOf = (transaction: LabTransaction): Coin[] =>
  transaction.outs.map(({ script, value }, vout) => ({ txid: transaction.getHash(), vout, script, valueSats: value }));

/** Alice gets 10 at height 1 and pays 7 to Bob at height 2; two more blocks. */
async function aliceAndBob(): Promise<{ lab: BitcoinLab; hashes: Uint8Array[]; payment: LabTransaction; reward: Uint8Array }> {
  const lab = await createBitcoinLab({ indexLag: 0 });
  const first = await lab.mine({ reward: [{ script: ALICE, valueSats: 10n }] });
  const reward = lab.coinbase(first);
  const payment = labTransaction(
    [{ txid: reward, vout: 0 }],
    [
      { script: BOB, valueSats: 7n },
      { script: Uint8Array.of(0x6a), valueSats: 0n },
    ],
  );
  const second = await lab.mine({ transactions: [payment] });
  const hashes = [lab.headers.genesis.hash, first, second, await lab.mine(), await lab.mine()];
  return { lab, hashes, payment, reward };
}

describe('a view', () => {
  test('shows a transaction with its block, whole as it was serialised', async () => {
    const { lab, hashes, payment } = await aliceAndBob();
    const view = await lab.stand(hashes[4] as Uint8Array);
    const found = view.transaction(payment.getHash());
    expect(found).toMatchObject({ height: 2, blockHash: hashes[2], transaction: { txid: payment.getHash(), version: 2, isCoinbase: false } });
    expect(found?.transaction.outputs.map(({ valueSats }) => valueSats)).toEqual([7n, 0n]);
    expect(view.transaction(payment.getHash())).toEqual(found);
    expect(view.transaction(payment.getHash().slice().reverse())).toBeUndefined();
  });

  test('of an earlier block answers as that block did, after the index went on', async () => {
    const { lab, hashes, payment, reward } = await aliceAndBob();
    await lab.stand(hashes[4] as Uint8Array);
    const [start, one, two] = hashes.map((hash) => lab.view(hash)) as [BitcoinView, BitcoinView, BitcoinView];
    expect(one.transaction(payment.getHash())).toBeUndefined();
    expect(one.heightOfTransaction(payment.getHash())).toBeUndefined();
    expect(one.output(reward, 0)).toMatchObject({ madeAt: 1, spentAt: undefined });
    expect([await start.balance(ALICE), await one.balance(ALICE), await two.balance(ALICE)]).toEqual([0n, 10n, 0n]);
    expect(await start.unspent(ALICE, ALL)).toEqual([]);
    expect(await one.unspent(ALICE, ALL)).toEqual([{ txid: reward, vout: 0, valueSats: 10n }]);
    expect(await one.unspent(BOB, ALL)).toEqual([]);
    expect(two.output(reward, 0)).toMatchObject({ madeAt: 1, spentAt: 2 });
    expect(await two.unspent(ALICE, ALL)).toEqual([]);
    expect(await two.unspent(BOB, ALL)).toEqual([{ txid: payment.getHash(), vout: 0, valueSats: 7n }]);
    expect(two.output(payment.getHash(), 1)).toBeUndefined();
  });

  test('shows its index tip and not its light tip, however far the index is', async () => {
    const lab = await createBitcoinLab({ indexLag: 2 });
    const tips: Uint8Array[] = [];
    for (const valueSats of [1n, 10n, 100n]) tips.push(await lab.mine({ reward: [{ script: ALICE, valueSats }] }));
    const end = await lab.mineMany(2);
    await lab.stand(end);
    const view = lab.view(tips[2] as Uint8Array);
    expect([view.lightTip.height, view.indexTip.height]).toEqual([3, 1]);
    expect(await view.balance(ALICE)).toBe(1n);
    expect(await view.unspent(ALICE, ALL)).toHaveLength(1);
    const second = lab.coinbase(tips[1] as Uint8Array);
    expect([view.transaction(second), view.heightOfTransaction(second), view.output(second, 0)]).toEqual([undefined, undefined, undefined]);
    expect(lab.view(end).output(second, 0)).toMatchObject({ madeAt: 2, spentAt: undefined });
  });

  test('of a branch that the index has left throws at every read of its rows, and answers again when it is back', async () => {
    const { lab, hashes, payment, reward } = await aliceAndBob();
    const [, one, two, , four] = hashes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const view = await lab.stand(four);
    const kept = view.transaction(payment.getHash());
    const other = await lab.mineMany(4, one);
    await lab.stand(other);
    const reads: [string, () => unknown][] = [
      ['transaction', () => view.transaction(payment.getHash())],
      ['an unknown transaction', () => view.transaction(new Uint8Array(32))],
      ['height', () => view.heightOfTransaction(payment.getHash())],
      ['output', () => view.output(reward, 0)],
      ['balance', () => view.balance(ALICE)],
      ['unspent', () => view.unspent(BOB, ALL)],
      ['publications', () => view.publications(new Uint8Array(32))],
    ];
    for (const [name, read] of reads) await expect((async () => read())(), name).rejects.toEqual(unavailable);
    // Headers do not need the index: the answer is what it was.
    expect(view.ancestor(2)?.hash).toEqual(two);
    expect(await lab.view(one).balance(ALICE)).toBe(10n);
    expect(await lab.view(other).balance(ALICE)).toBe(10n);
    await lab.stand(four);
    expect(view.transaction(payment.getHash())).toEqual(kept);
    expect(await view.balance(BOB)).toBe(7n);
  });

  test('that the index has not reached yet throws', async () => {
    const { lab, hashes } = await aliceAndBob();
    await lab.stand(hashes[1] as Uint8Array);
    await expect(lab.view(hashes[2] as Uint8Array).balance(ALICE)).rejects.toEqual(unavailable);
  });

  test('that the index leaves while it seeks an earlier version throws, and gives no value', async () => {
    const { lab, hashes } = await aliceAndBob();
    await lab.stand(hashes[4] as Uint8Array);
    const other = await lab.mineMany(5, hashes[0]);
    const restless: Store = {
      ...lab.store,
      async *range(table, range) {
        yield* lab.store.range(table, range);
        await lab.stand(other);
      },
    };
    const view = createBitcoinView({ ...lab, store: restless }, hashes[1] as Uint8Array);
    await expect(view.balance(ALICE)).rejects.toEqual(unavailable);
  });

  test('whose block body is gone says so, and does not take the transaction for unknown', async () => {
    const { lab, hashes, payment } = await aliceAndBob();
    await lab.stand(hashes[4] as Uint8Array);
    const view = createBitcoinView({ ...lab, blocks: { ...lab.blocks, readRaw: () => undefined } }, hashes[4] as Uint8Array);
    expect(() => view.transaction(payment.getHash())).toThrow(expect.objectContaining({ code: 'bitcoin/block-missing', severity: 'retry' }));
  });
});

/** The unspent outputs of every script, kept as simply as can be. */
function createModel() {
  const coins = new Map<string, Coin>();
  const name = ({ txid, vout }: Pick<Coin, 'txid' | 'vout'>): string => `${toHex(txid)}:${vout}`;
  return {
    coins,
    make: (coin: Coin) => void coins.set(name(coin), coin),
    spend: (coin: Coin) => void coins.delete(name(coin)),
    of: (owner: Uint8Array) =>
      [...coins.values()]
        .filter((coin) => compare(coin.script, owner) === 0)
        .sort((a, b) => compare(a.txid, b.txid) || a.vout - b.vout)
        .map(({ txid, vout, valueSats }) => ({ txid, vout, valueSats })),
  };
}

/** Mines a block that makes and spends at random; the model follows. */
async function mineRandom(lab: BitcoinLab, model: ReturnType<typeof createModel>, random: SeededRandom): Promise<Uint8Array> {
  const outputs = (most: number): LabOutput[] =>
    Array.from({ length: random.between(1, most) }, () => ({ script: script(random.between(1, 2)), valueSats: BigInt(random.between(0, 1000)) }));
  const transactions: LabTransaction[] = [];
  for (let i = 0; i < 4; i += 1) {
    const pool = [...model.coins.values()];
    // The last coins are of this very block: made and spent at once.
    const chosen = new Set(Array.from({ length: random.between(0, 40) }, () => pool[Math.floor((1 - random.next() ** 2) * pool.length)]));
    const inputs = [...chosen].filter((coin) => coin !== undefined);
    if (inputs.length === 0) continue;
    const transaction = labTransaction(inputs, outputs(30));
    inputs.forEach(model.spend);
    coinsOf(transaction).forEach(model.make);
    transactions.push(transaction);
  }
  const hash = await lab.mine({ transactions, reward: outputs(60) });
  lab.blocks.get(hash).transactions[0]?.outputs.forEach(({ script: owner, valueSats }, vout) => {
    if (owner[0] === 0) model.make({ txid: lab.coinbase(hash), vout, script: owner, valueSats });
  });
  return hash;
}

test('balances and pages of random chains are those of a simple model, at every block, before and after the index went on', async () => {
  for (const [seed, indexLag] of [
    [1, 0],
    [2, 0],
    [3, 2],
  ] as const) {
    const random = createSeededRandom(seed);
    const lab = await createBitcoinLab({ indexLag });
    const model = createModel();
    const tips: Uint8Array[] = [lab.headers.genesis.hash];
    const owners: ReturnType<typeof model.of>[][] = [[[], []]];
    const shownAt = (height: number): number => (height > indexLag ? height - indexLag : height);
    for (let height = 1; height <= 25; height += 1) {
      tips.push(await mineRandom(lab, model, random));
      owners.push([model.of(ALICE), model.of(BOB)]);
      const view = await lab.stand(tips[height] as Uint8Array);
      expect(await view.unspent(ALICE, ALL)).toEqual(owners[shownAt(height)]?.[0]);
    }
    expect(model.of(ALICE).length).toBeGreaterThan(100);
    for (const [height, tip] of tips.slice(0, 25 - indexLag).entries()) {
      const view = lab.view(tip);
      for (const [i, owner] of [ALICE, BOB].entries()) {
        const all = owners[shownAt(height)]?.[i] ?? [];
        expect(await view.balance(owner), `seed ${seed} height ${height}`).toBe(all.reduce((sum, coin) => sum + coin.valueSats, 0n));
        expect(await view.unspent(owner, ALL)).toEqual(all);
        const page = { skip: random.between(0, all.length + 2), limit: random.between(1, 40) };
        expect(await view.unspent(owner, page)).toEqual(all.slice(page.skip, page.skip + page.limit));
      }
    }
  }
});

test('a script that spent all it had takes no more than one that is new', async () => {
  const lab = await createBitcoinLab({ indexLag: 0 });
  const first = await lab.mine({ reward: Array.from({ length: 2_000 }, () => ({ script: ALICE, valueSats: 1n })) });
  const coins = Array.from({ length: 2_000 }, (_, vout) => ({ txid: lab.coinbase(first), vout }));
  const row = (): ScriptRow | undefined => lab.store.get(layout.script, hashScript(ALICE));
  await lab.stand(await lab.mine({ transactions: [labTransaction(coins.slice(0, -1), [{ script: BOB, valueSats: 1n }])] }));
  expect(row()).toMatchObject({ balanceSats: 1n, nodes: 0 });
  expect(row()?.root).toHaveLength(1 + 44);
  await lab.stand(await lab.mine({ transactions: [labTransaction(coins.slice(-1), [{ script: BOB, valueSats: 1n }])] }));
  expect(row()?.root).toHaveLength(1);
});

test('the index is reverted through large trees to the bytes that were there', async () => {
  const random = createSeededRandom(7);
  const lab = await createBitcoinLab({ indexLag: 0 });
  const model = createModel();
  const hashes: Uint8Array[] = [];
  for (let height = 1; height <= 15; height += 1) hashes.push(await mineRandom(lab, model, random));
  const dumps: string[][] = [];
  for (const hash of hashes) {
    await lab.stand(hash);
    dumps.push(await dumpStore(lab.store));
  }
  for (const [i, hash] of [...hashes.entries()].reverse()) {
    await lab.stand(hash);
    expect((await dumpStore(lab.store)).join('\n') === (dumps[i] ?? []).join('\n'), `height ${i + 1}`).toBe(true);
  }
});

test('what a call reads is bounded, however many outputs a script has and had', async () => {
  const store = createCountingStore(await openMemoryStore());
  const lab = await createBitcoinLab({ indexLag: 0, store });
  const outputs = (count: number): LabOutput[] => Array.from({ length: count }, () => ({ script: ALICE, valueSats: 1n }));
  const first = await lab.mine({ reward: outputs(6_000) });
  const made = lab.coinbase(first);
  let last = { txid: made, vout: 0 };
  let tip = first;
  for (let i = 0; i < 60; i += 1) {
    const transaction = labTransaction([last], outputs(1));
    tip = await lab.mine({ transactions: [transaction], reward: outputs(1) });
    last = { txid: transaction.getHash(), vout: 0 };
  }
  await lab.stand(tip);
  const views: [BitcoinView, count: number][] = [
    [lab.view(tip), 6_060],
    [lab.view(lab.headers.ancestor(tip, 30)?.hash as Uint8Array), 6_029],
    [lab.view(first), 6_000],
  ];
  for (const [view, count] of views) {
    store.takeCount();
    expect(await view.balance(ALICE)).toBe(BigInt(count));
    expect(store.takeCount()).toBeLessThanOrEqual(MAX_ROWS.balance);
    for (const [page, found, rows] of [
      [{ skip: 0, limit: 10 }, 10, 12],
      [{ skip: 5_700, limit: 255 }, 255, 60],
      [{ skip: count - 1, limit: 255 }, 1, 12],
      [{ skip: count, limit: 255 }, 0, 2 + 2],
      [{ skip: 0xffffff, limit: 255 }, 0, 2 + 2],
    ] as const) {
      store.takeCount();
      expect(await view.unspent(ALICE, page)).toHaveLength(found);
      const taken = store.takeCount();
      expect(taken).toBeLessThanOrEqual(rows);
      expect(taken).toBeLessThanOrEqual(MAX_ROWS.unspent(page.limit));
    }
    expect(view.transaction(made)?.transaction.outputs).toHaveLength(6_000);
    expect(store.takeCount()).toBeLessThanOrEqual(MAX_ROWS.transaction);
    expect(view.output(made, 5_999)?.madeAt).toBe(1);
    expect(store.takeCount()).toBeLessThanOrEqual(MAX_ROWS.output);
  }
});

describe('the unspent set at the hVM genesis', () => {
  const coins = Array.from({ length: 500 }, (_, i) => ({
    txid: new Uint8Array(32).map((_byte, n) => (n === 0 ? (i * 37) & 0xff : n === 1 ? i >> 2 : 9)),
    vout: i & 3,
    valueSats: BigInt(i),
    script: i % 3 === 0 ? BOB : ALICE,
    madeAt: 0,
  }));

  async function load(pieces: readonly (typeof coins)[]): Promise<BitcoinLab> {
    const lab = await createBitcoinLab({ indexLag: 0 });
    for (const piece of pieces) {
      const batch = lab.store.batch();
      addUnspent(batch, 0, piece);
      await batch.commit();
    }
    return lab;
  }

  test('is seen from the first block on, spent from then on, and there again after a reorg', async () => {
    const lab = await load([coins]);
    const coin = coins[4] as (typeof coins)[number];
    const before = await lab.mine();
    const spent = await lab.mine({ transactions: [labTransaction([coin], [{ script: BOB, valueSats: 4n }])] });
    const view = await lab.stand(spent);
    const alice = coins.filter(({ script }) => script === ALICE);
    const sum = alice.reduce((total, { valueSats }) => total + valueSats, 0n);
    expect(await lab.view(lab.headers.genesis.hash).balance(ALICE)).toBe(sum);
    expect(await lab.view(before).balance(ALICE)).toBe(sum);
    expect(await view.balance(ALICE)).toBe(sum - coin.valueSats);
    expect(view.output(coin.txid, coin.vout)).toMatchObject({ madeAt: 0, spentAt: 2 });
    expect(view.transaction(coin.txid)).toBeUndefined();
    expect(await view.unspent(ALICE, ALL)).toHaveLength(alice.length - 1);
    const dump = await dumpStore((await load([coins])).store);
    await lab.index.moveTo(lab.headers.genesis.hash);
    // Headers, blocks and the position (prefixes H, B and x) are not the set's.
    const indexed = (await dumpStore(lab.store)).filter((row) => !/^[HBx]/.test(row));
    expect(indexed).toEqual(dump.filter((row) => !/^[HBx]/.test(row)));
  });

  test('in pieces, and a piece written again after a crash, gives the same rows', async () => {
    const [a, b] = [coins.slice(0, 200), coins.slice(200)];
    const rows = await dumpStore((await load([a, b])).store);
    expect(await dumpStore((await load([a, a, b])).store)).toEqual(rows);
    expect(await dumpStore((await load([a, b, b])).store)).toEqual(rows);
    expect((await load([a, b])).store.get(layout.script, hashScript(ALICE))).toMatchObject({ since: 0, previous: NO_VERSION });
    expect(rows).not.toEqual(await dumpStore((await load([a])).store));
  });
});

test('a branch that spends an output twice changes the unspent set once, and is reverted', async () => {
  const { lab, hashes, reward } = await aliceAndBob();
  const again = labTransaction([{ txid: reward, vout: 0 }], [{ script: BOB, valueSats: 1n }]);
  await lab.stand(hashes[4] as Uint8Array);
  const before = await dumpStore(lab.store);
  const tip = await lab.mine({ transactions: [again] });
  const view = await lab.stand(tip);
  expect(view.output(reward, 0)?.spentAt).toBe(2);
  expect(await view.balance(ALICE)).toBe(0n);
  const walker = createWalker(bitcoinIndex, lab);
  await walker.moveTo(hashes[4] as Uint8Array);
  const after = (await dumpStore(lab.store)).filter((row) => !/^[HBx]/.test(row));
  expect(after).toEqual(before.filter((row) => !/^[HBx]/.test(row)));
});

test('what the index has written while it leaves a branch, and not told yet, is not taken for that branch', async () => {
  const memory = await openMemoryStore();
  let onWritten = async (): Promise<void> => undefined;
  const batch = () => {
    const inner = memory.batch();
    return { ...inner, commit: async () => inner.commit().then(onWritten) };
  };
  const lab = await createBitcoinLab({ indexLag: 0, store: { ...memory, batch } });
  const common = await lab.mine();
  const left = await lab.mine({ reward: [{ script: ALICE, valueSats: 10n }] });
  const right = await lab.mine({ on: common, reward: [{ script: ALICE, valueSats: 7n }] });
  const tip = await lab.mine({ on: right });
  const [leaving, below] = [await lab.stand(left), lab.view(common)];
  const seen: unknown[] = [await leaving.balance(ALICE)];
  onWritten = async () => {
    seen.push(await leaving.balance(ALICE).catch((error: unknown) => error), await below.balance(ALICE));
  };
  const view = await lab.stand(tip);
  expect(seen).toEqual([10n, unavailable, 0n]);
  expect(await view.balance(ALICE)).toBe(7n);
});
