import { readFileSync } from 'node:fs';
import {
  type AnchoringChoice,
  type AnchoringOutcome,
  createPopWallet,
  popVsize,
  readFeePlan,
  readPopSecret,
  readYear,
  simulateAnchoring,
  syntheticYear,
} from '@hemid/pop-miner';
import { isHemidError } from '@hemid/protocol';
import { describeConfig, loadConfig } from '@hemid/runtime';
import { z } from 'zod';

const BAD_CONFIG = 2;

/** Several values with commas: every combination is a line of the table. */
const numbers = z
  .string()
  .regex(/^[1-9]\d{0,6}(,[1-9]\d{0,6})*$/, 'must be whole numbers with commas')
  .transform((list) => list.split(',').map(Number));
const names = z.string().transform((list) => list.split(',').map((text) => text.trim()));

const config = z.strictObject({
  keystonePeriod: numbers.default([25]).describe('L2 blocks from one keystone to the next; several with commas'),
  blockTime: z.coerce.number().positive().default(12).describe('seconds from one L2 block to the next'),
  policy: names
    .default(['fixed:5', 'estimate', 'estimate-cap:20', 'replace'])
    .describe('fee policies: fixed:R, estimate, estimate-cap:R, replace, R in sats/vB; several with commas'),
  miners: numbers.default([1]).describe('miners that publish every keystone; several with commas'),
  budget: z.coerce.number().int().min(1).optional().describe('sats that one miner spends in a day at most; no limit when left out'),
  finalDepth: z.coerce.number().int().min(1).default(10).describe('confirmations of a super-final keystone'),
  file: z.string().optional().describe('CSV of Bitcoin blocks, height,timestamp,feerate (seconds, sats/vB), instead of a synthetic year'),
  seed: z.coerce.number().int().min(0).default(1).describe('of the synthetic year, and of when miners look'),
});

const help =
  (): string => `npm run simulate -- anchoring replays a year of Bitcoin and prints what publishing keystones costs and how long finality takes.

A publication enters the first block whose lowest fee rate is not above its own; the estimate is the highest of the last
six blocks. What is published, and at what rate, is decided by popmd's own functions; its size is exact.

Options:
${describeConfig(config, '').replaceAll(/ {2}\[\w+\]$/gm, '')}
`;

const minutes = (seconds: number | undefined): string => (seconds === undefined ? '-' : (seconds / 60).toFixed(1));

function lineOf(choice: AnchoringChoice, outcome: AnchoringOutcome): string[] {
  const { costSats, days, keystones, lost, safe, finalized } = outcome;
  return [
    String(choice.keystonePeriod),
    choice.policy.name,
    String(choice.miners),
    Math.round(Number(costSats) / days).toString(),
    (((Number(costSats) / days) * 365) / 1e8).toFixed(4),
    minutes(safe.median),
    minutes(safe.p99),
    minutes(finalized.median),
    minutes(finalized.p99),
    String(lost),
    `${((100 * lost) / Math.max(1, keystones)).toFixed(2)}%`,
  ];
}

const HEAD = ['period', 'policy', 'miners', 'sats/day', 'BTC/year', 'safe min', 'p99', 'final min', 'p99', 'lost', 'of all'];

function print(lines: readonly string[][]): void {
  const widths = HEAD.map((name, i) => Math.max(name.length, ...lines.map((line) => (line[i] ?? '').length)));
  for (const line of [HEAD, ...lines]) process.stdout.write(`${line.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')}\n`);
}

function run(argv: readonly string[]): void {
  const chosen = loadConfig(config, { argv, env: {}, envPrefix: '' });
  const year = chosen.file === undefined ? syntheticYear(chosen.seed) : readYear(readFileSync(chosen.file, 'utf8'));
  const wallet = createPopWallet(readPopSecret('01'), { network: 'mainnet', kind: 'p2wpkh' });
  const common = {
    blockTime: chosen.blockTime,
    budgetSats: chosen.budget === undefined ? undefined : BigInt(chosen.budget),
    finalDepth: chosen.finalDepth,
    vsize: popVsize(wallet, { inputs: 1, change: 1 }),
    seed: chosen.seed,
  };
  const choices = chosen.keystonePeriod.flatMap((keystonePeriod) =>
    chosen.policy
      .map(readFeePlan)
      .flatMap((policy) => chosen.miners.map((miners): AnchoringChoice => ({ ...common, keystonePeriod, policy, miners }))),
  );
  const outcomes = choices.map((choice) => ({ choice, outcome: simulateAnchoring(year, choice) }));
  print(outcomes.map(({ choice, outcome }) => lineOf(choice, outcome)));
  const report = outcomes.map(({ choice, outcome }) => ({
    keystonePeriod: choice.keystonePeriod,
    policy: choice.policy.name,
    miners: choice.miners,
    ...outcome,
    costSats: Number(outcome.costSats),
  }));
  process.stdout.write(`${JSON.stringify({ blocks: year.length, vsize: common.vsize, outcomes: report })}\n`);
}

const argv = process.argv.slice(2);
if (argv.includes('--help') || argv.includes('-h')) process.stdout.write(help());
else {
  try {
    run(argv);
  } catch (error) {
    const isTheirs = isHemidError(error) || (error as { code?: string }).code === 'ENOENT';
    if (!isTheirs) throw error;
    process.stderr.write(`simulate: ${(error as Error).message}\n`);
    process.exitCode = BAD_CONFIG;
  }
}
