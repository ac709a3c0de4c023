import { labSpec } from '@hemid/testkit';
import { afterEach, expect, test } from 'vitest';
import { findAnvil, startAnvil } from './anvil.ts';
import type { Beginning } from './engine.ts';
import { runDifferential, type Tally } from './run.ts';
import { type Stock, startStock } from './stock.ts';

const COUNT = Number(process.env['HEMID_DIFF'] ?? (process.env['HEMID_LONG'] === '1' ? 100_000 : 2_000));
const SEED = Number(process.env['HEMID_SEED'] ?? 1);

const started: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const stock of started.splice(0)) await stock.close();
});

async function start(beginning: Beginning): Promise<Stock> {
  const stock = startStock(beginning);
  started.push(stock);
  return stock;
}

const sumOf = (tally: Tally, pattern: RegExp): number => [...tally].reduce((sum, [key, count]) => sum + (pattern.test(key) ? count : 0), 0);

test(
  `${COUNT} random transactions end on the node's engine as on the stock one: status, gas, logs, and the state root of every block (seed ${SEED})`,
  async () => {
    const tally = await runDifferential(start, { seed: SEED, count: COUNT, isStrict: true });
    expect(sumOf(tally, /./)).toBeGreaterThanOrEqual(COUNT);
    if (COUNT < 2_000) return;
    // What the campaign is for was really tried.
    for (const kind of [
      'transfer',
      'create',
      'create-constructor',
      'token',
      'call',
      'create2',
      'precompile',
      'authorise',
      'delegated',
      'big-calldata',
      'deep',
    ]) {
      expect({ kind, succeeded: sumOf(tally, new RegExp(`^${kind} succeeded$`)) > 0 }).toEqual({ kind, succeeded: true });
    }
    for (const kind of ['create', 'token', 'call', 'precompile', 'create-constructor', 'create-garbage', 'create2-eof']) {
      expect({ kind, failed: sumOf(tally, new RegExp(`^${kind} failed$`)) > 0 }).toEqual({ kind, failed: true });
    }
    for (const kind of ['bad-nonce', 'too-little-gas', 'too-poor']) {
      const refused = sumOf(tally, new RegExp(`^${kind} refused$`));
      expect({ kind, refused: refused > 0 }).toEqual({ kind, refused: true });
      // A nonce too high is right after all when an authorisation of the same sender (EIP-7702) came before it in the block.
      const most = kind === 'bad-nonce' ? refused / 20 : 0;
      expect(sumOf(tally, new RegExp(`^${kind} (succeeded|failed)$`)), kind).toBeLessThanOrEqual(most);
    }
  },
  60_000 + COUNT * 30,
);

test('a rival that executes only a little otherwise is found out, with the seed', async () => {
  const cheat = async (beginning: Beginning) => {
    const stock = await start(beginning);
    return { block: (plan: Parameters<Stock['block']>[0]) => stock.block({ ...plan, timestamp: `${BigInt(plan.timestamp) + 1n}` }) };
  };
  await expect(runDifferential(cheat, { seed: 11, count: 400, isStrict: true })).rejects.toThrow(
    /^seed 11, block \d+.*; replay: HEMID_SEED=11 HEMID_DIFF=400 /s,
  );
});

// npm run test:long, where there is an anvil (the bench fetches one); or HEMID_ANVIL=1, or the path of one.
const anvil = process.env['HEMID_LONG'] === '1' || process.env['HEMID_ANVIL'] !== undefined ? findAnvil() : undefined;
if (anvil !== undefined) {
  test(
    `${COUNT} random transactions end as on anvil: status, gas, logs, and what the state holds (seed ${SEED})`,
    async () => {
      const begin = async (beginning: Beginning) => {
        const rival = await startAnvil(anvil, beginning, BigInt(labSpec().genesis.time));
        started.push(rival);
        return rival;
      };
      const tally = await runDifferential(begin, { seed: SEED, count: COUNT, isStrict: false });
      expect(sumOf(tally, /./)).toBeGreaterThanOrEqual(COUNT);
    },
    60_000 + COUNT * 50,
  );
}
