import { publicationsIn } from '@hemid/bitcoin';
import { equal, hashKeystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import { createBitcoinWallet, createSeededRandom, startBitcoind } from '@hemid/testkit';
import { expect, it } from 'vitest';
import { createBitcoinActor } from './bitcoin-actor.ts';
import { createFeeActor } from './fee-actor.ts';
import { createKeystoneHolder } from './keystone-holder.ts';
import { createMinerActor, type MinerActor } from './miner-actor.ts';

/** Things that happen: HEMID_CHAOS, or 3,000 in the long run. */
const STEPS = Number(process.env['HEMID_CHAOS'] ?? (process.env['HEMID_LONG'] === undefined ? 60 : 3_000));
const SEED = Number(process.env['HEMID_SEED'] ?? 20_261_120);
const BUDGET_SATS = 60_000n;

it(`survives what happens in months: ${STEPS} events, seed ${SEED}`, { timeout: 3_600_000 }, async () => {
  const random = createSeededRandom(SEED);
  const bitcoind = await startBitcoind({ args: ['-txindex=0'] });
  const bitcoin = await createBitcoinActor({ rpc: bitcoind.rpc, close: () => bitcoind.stop() });
  const l2 = createKeystoneHolder();
  const fees = createFeeActor(2000n);
  const open = (name: string): MinerActor =>
    createMinerActor({ rpc: bitcoin.rpc, keystones: l2, wrap: fees.wrap, name, options: name === 'miner' ? { budgetSats: BUDGET_SATS } : {} });
  const made: string[] = [];
  const explained = new Map<string, string>();
  let actor = open('miner');
  let start = 0;
  let branches = 0;

  const events: Record<string, { weight: number; happen: () => Promise<unknown> }> = {
    keystone: {
      weight: 35,
      async happen() {
        made.push(toKeystoneId(hashKeystone(l2.make((made.length + 1) * 25, await bitcoin.tip()))));
      },
    },
    block: { weight: 25, happen: () => bitcoin.mine(1) },
    emptyBlock: { weight: 12, happen: () => bitcoin.rpc('generateblock', [bitcoin.faucet.addresses.p2wpkh, []]) },
    fees: { weight: 8, happen: async () => fees.ask(BigInt(Math.round(1000 * 10 ** (random.next() * 2)))) },
    reorg: {
      weight: 6,
      async happen() {
        const depth = random.between(1, 4);
        const tip = (await bitcoin.rpc('getblockcount', [])) as number;
        await bitcoin.invalidate((await bitcoin.rpc('getblockhash', [tip - depth + 1])) as string);
        // A block like one that was invalidated would not be taken.
        branches += 1;
        await createBitcoinWallet({ rpc: bitcoin.rpc, secret: `branch ${branches}` }).mine(depth + 1);
      },
    },
    restart: {
      weight: 5,
      async happen() {
        actor = open('miner');
      },
    },
    crash: {
      weight: 2,
      async happen() {
        await bitcoind.kill();
        await actor.miner.tick();
        await bitcoind.restart();
      },
    },
    rival: { weight: 3, happen: () => open('rival').miner.tick() },
    coin: { weight: 4, happen: () => bitcoin.give(actor.wallet.address, BigInt(random.between(1_000, 300_000))) },
  };
  const total = Object.values(events).reduce((sum, { weight }) => sum + weight, 0);
  const pick = () => {
    let left = random.next() * total;
    for (const { weight, happen } of Object.values(events)) {
      if (left < weight) return happen;
      left -= weight;
    }
    throw new Error('one of them always happens');
  };

  async function look(): Promise<void> {
    await actor.miner.tick();
    const { queue, abandoned, budget } = actor.miner.status();
    expect(budget.spentSats).toBeLessThanOrEqual(BUDGET_SATS);
    for (const { id, reason } of [...queue, ...abandoned]) if (reason !== undefined) explained.set(id, reason);
    // What a rival published may be lost when nobody looks at its keystone any more.
    for (const { id, standing } of queue)
      if (standing === 'published' && !queue.slice(0, 6).some((young) => young.id === id)) explained.set(id, standing);
  }

  try {
    for (const name of ['miner', 'rival']) await bitcoin.give(open(name).wallet.address, 2_000_000n);
    await bitcoin.mine(1);
    start = (await bitcoin.rpc('getblockcount', [])) as number;
    for (let step = 0; step < STEPS; step += 1) {
      await pick()();
      await look();
    }
    fees.ask(1000n);
    for (let i = 0; i < 3; i += 1) {
      await bitcoin.mine(1);
      await look();
    }

    const by = new Map<string, boolean[]>();
    const tip = (await bitcoin.rpc('getblockcount', [])) as number;
    for (let height = start; height <= tip; height += 1) {
      for (const { key, row } of publicationsIn(await bitcoin.block((await bitcoin.rpc('getblockhash', [height])) as string), height)) {
        const id = toDisplay(key.abbreviatedHash);
        by.set(id, [...(by.get(id) ?? []), equal(row.miner ?? new Uint8Array(), actor.wallet.miner)]);
      }
    }
    for (const id of made) {
      expect([id, (by.get(id) ?? []).filter((isOwn) => isOwn).length <= 1]).toEqual([id, true]);
      expect([id, by.has(id) || explained.get(id)]).not.toEqual([id, undefined]);
    }
    expect([...by.values()].filter((owners) => owners.includes(true)).length).toBeGreaterThan(0);
  } finally {
    await bitcoin.close();
  }
});
