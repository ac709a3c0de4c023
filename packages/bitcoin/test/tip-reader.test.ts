import { type BitcoinTip, concat, equal, isUnspendable, toHex } from '@hemid/protocol';
import { type BitcoinLab, createBitcoinLab, createSeededRandom, type LabTransaction, labTransaction } from '@hemid/testkit';
import { describe, expect, test } from 'vitest';
import { createTipReader, type TipReader } from '../src/index.ts';

const script = (n: number): Uint8Array => concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(n));
const [ALICE, BOB] = [script(1), script(2)];
const ALL = { skip: 0, limit: 1_000_000 };

/** A lab whose reader looks from the best header, wherever the index stands. */
async function openScene(indexLag = 2): Promise<{ lab: BitcoinLab; reader: TipReader }> {
  const lab = await createBitcoinLab({ indexLag });
  return { lab, reader: createTipReader({ ...lab, tip: () => lab.headers.best() }) };
}

const pay = (from: { txid: Uint8Array; vout: number }, to: Uint8Array, valueSats: bigint): LabTransaction =>
  labTransaction([from], [{ script: to, valueSats }]);
const show = (outputs: readonly { txid: Uint8Array; vout: number; valueSats: bigint }[]): string[] =>
  outputs.map(({ txid, vout, valueSats }) => `${toHex(txid)} ${vout} ${valueSats}`).sort();

/** The unspent outputs of a script at a tip, from the bodies alone. */
function replay(lab: BitcoinLab, tip: BitcoinTip, owner: Uint8Array): string[] {
  const unspent = new Map<string, { txid: Uint8Array; vout: number; valueSats: bigint }>();
  for (let height = 1; height <= tip.height; height += 1) {
    for (const { txid, isCoinbase, inputs, outputs } of lab.blocks.get(lab.headers.ancestor(tip.hash, height)?.hash as Uint8Array).transactions) {
      for (const input of isCoinbase ? [] : inputs) unspent.delete(`${toHex(input.txid)}/${input.vout}`);
      for (const [vout, output] of outputs.entries()) {
        if (!isUnspendable(output.script) && equal(output.script, owner)) {
          unspent.set(`${toHex(txid)}/${vout}`, { txid, vout, valueSats: output.valueSats });
        }
      }
    }
  }
  return show([...unspent.values()]);
}

describe('a reader at the tip', () => {
  test('shows what the blocks above the index made and spent', async () => {
    const { lab, reader } = await openScene();
    const first = lab.coinbase(await lab.mine({ reward: [{ script: ALICE, valueSats: 10n }] }));
    await lab.stand(await lab.mineMany(3));
    expect(await reader.balance(ALICE)).toBe(10n);
    const payment = pay({ txid: first, vout: 0 }, ALICE, 9n);
    const passedOn = pay({ txid: payment.getHash(), vout: 0 }, BOB, 8n);
    await lab.mine({ transactions: [payment] });
    expect(show(await reader.unspent(ALICE, ALL))).toEqual(show([{ txid: payment.getHash(), vout: 0, valueSats: 9n }]));
    await lab.mine({ transactions: [passedOn] });
    expect(lab.index.position().height).toBe(2);
    expect(reader.tip().height).toBe(6);
    expect([await reader.balance(ALICE), await reader.balance(BOB)]).toEqual([0n, 8n]);
    expect(await reader.unspent(ALICE, ALL)).toEqual([]);
    expect(await reader.unspent(BOB, ALL)).toEqual([{ txid: passedOn.getHash(), vout: 0, valueSats: 8n, isMature: true }]);
    expect(toHex((await reader.transaction(passedOn.getHash())) as Uint8Array)).toBe(toHex(passedOn.toBuffer()));
    expect(await reader.transaction(new Uint8Array(32))).toBeUndefined();
  });

  test('follows the best chain when the index stands on another branch', async () => {
    const { lab, reader } = await openScene();
    const root = await lab.mine({ reward: [{ script: ALICE, valueSats: 10n }] });
    const stale = await lab.mine({ on: root, transactions: [pay({ txid: lab.coinbase(root), vout: 0 }, BOB, 10n)] });
    await lab.stand(await lab.mineMany(4, stale));
    expect(await reader.balance(BOB)).toBe(10n);
    await lab.mineMany(6, root);
    expect([await reader.balance(ALICE), await reader.balance(BOB)]).toEqual([10n, 0n]);
  });

  test('says whether a coinbase may be spent in the next block', async () => {
    const { lab, reader } = await openScene();
    await lab.mine({ reward: [{ script: ALICE, valueSats: 10n }] });
    await lab.stand(await lab.mineMany(98));
    expect(await reader.unspent(ALICE, ALL)).toMatchObject([{ isMature: false }]);
    await lab.mine({ reward: [{ script: ALICE, valueSats: 11n }] });
    expect(await reader.unspent(ALICE, ALL)).toMatchObject([
      { valueSats: 11n, isMature: false },
      { valueSats: 10n, isMature: true },
    ]);
  });

  test('does not answer while the index is far behind', async () => {
    const { lab, reader } = await openScene();
    await lab.mineMany(40);
    await expect(reader.balance(ALICE)).rejects.toMatchObject({ code: 'bitcoin/view-unavailable', severity: 'retry', message: /catching up/ });
    await lab.stand(lab.headers.best().hash);
    expect(await reader.balance(ALICE)).toBe(0n);
  });

  test('answers like the bodies, for any chain and wherever the index stands', async () => {
    const random = createSeededRandom(7);
    const below = (n: number): number => random.between(0, n - 1);
    for (const indexLag of [0, 1, 2]) {
      const { lab, reader } = await openScene(indexLag);
      const tips = [lab.headers.genesis.hash];
      const coins = new Map<string, { txid: Uint8Array; vout: number }[]>();
      for (let i = 0; i < 30; i += 1) {
        // Mostly on the last block, at times on an earlier one.
        const on = tips[below(5) === 0 ? Math.max(0, tips.length - 1 - below(4)) : tips.length - 1] as Uint8Array;
        const free = [...(coins.get(toHex(on)) ?? [])];
        const transactions: LabTransaction[] = [];
        for (let n = below(3); n > 0 && free.length > 0; n -= 1) {
          const [coin] = free.splice(below(free.length), 1);
          const made = labTransaction(
            [coin as { txid: Uint8Array; vout: number }],
            [
              { script: script(1 + below(2)), valueSats: BigInt(1 + below(200)) },
              { script: script(1 + below(2)), valueSats: BigInt(1 + below(200)) },
            ],
          );
          transactions.push(made);
          free.push({ txid: made.getHash(), vout: 0 }, { txid: made.getHash(), vout: 1 });
        }
        const hash = await lab.mine({ on, transactions, reward: [{ script: script(1 + below(2)), valueSats: 50n }] });
        tips.push(hash);
        coins.set(toHex(hash), [...free, { txid: lab.coinbase(hash), vout: 0 }]);
        if (below(3) === 0) await lab.stand(tips[Math.max(0, tips.length - 1 - below(6))] as Uint8Array);
        for (const owner of [ALICE, BOB]) {
          const expected = replay(lab, lab.headers.best(), owner);
          const outputs = await reader.unspent(owner, ALL);
          expect(show(outputs)).toEqual(expected);
          expect(await reader.balance(owner)).toBe(outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n));
          const paged = [];
          for (let skip = 0; skip < 120; skip += 9) paged.push(...(await reader.unspent(owner, { skip, limit: 9 })));
          expect(show(paged)).toEqual(expected);
        }
      }
    }
  });
});
