import type { Conflict } from '@hemid/chain';
import { afterEach, describe, expect, test } from 'vitest';
import { checkAgreement, checkPayments, checkReports } from './invariant.ts';
import { type Cheats, MODES, run, settle } from './scenario.ts';
import { createWorld, deliver, look, type Machine, type World } from './world.ts';

/** A seed replays exactly one run: `HEMID_SEED=17 npx vitest run test/simulation`. */
const ONE = process.env['HEMID_SEED'];
const RUNS = Number(process.env['HEMID_SIMULATIONS'] ?? (process.env['HEMID_LONG'] === undefined ? 5 : 300));
const SEEDS = ONE === undefined ? Array.from({ length: RUNS }, (_, i) => i) : [Number(ONE)];

let world: World;
afterEach(() => world.close());

async function populate(mode: (typeof MODES)[number]): Promise<Cheats> {
  const first = await world.open('first sequencer', { key: 'sequencer' });
  const cheat = await world.open('cheating sequencer', {
    key: 'sequencer 2',
    isHonest: false,
    ...(mode === 'orphan' ? { bitcoin: world.lonely } : {}),
  });
  const twin = mode === 'equivocate' ? await world.open('twin', { key: 'sequencer 2', isHonest: false }) : undefined;
  world.machines.push(first, cheat, ...(twin === undefined ? [] : [twin]));
  for (const name of ['verifier 1', 'verifier 2']) world.machines.push(await world.open(name, {}));
  return { cheat, twin };
}

/** Starts every honest node again on its data with one checkpoint, and lets what is on its way arrive. */
async function resolve(): Promise<void> {
  const honest = world.machines.filter(({ isHonest }) => isHonest);
  const reporter = honest[world.random.between(0, honest.length - 1)] as Machine;
  const { own, other } = reporter.node.chain.conflict() as Conflict;
  const { keystone } = world.random.next() < 0.5 && own !== undefined ? own : other;
  const checkpoint = { number: keystone.header.number, hash: keystone.hash };
  const again: Machine[] = [];
  for (const { name, store, inbox } of honest) again.push({ ...(await world.open(name, { store, checkpoint })), inbox });
  world.machines = again;
  for (const machine of again) {
    await look(machine);
    await deliver(world, machine, () => true);
  }
  checkAgreement(world);
  for (const { node } of again) expect(node.chain.ancestorOf(node.chain.head('latest'), checkpoint.number).hash).toEqual(checkpoint.hash);
}

describe('all honest nodes end on one head, finality does not go back, payouts and deposits are made once', () => {
  for (const seed of SEEDS) {
    const mode = MODES[seed % MODES.length] as (typeof MODES)[number];
    test(`seed ${seed}: one sequencer is honest, the other one's play is ${mode}`, { timeout: 120_000 }, async () => {
      world = await createWorld(seed);
      const cheats = await populate(mode);
      await run(world, mode, cheats);
      await settle(world);
      const isReported = mode === 'withhold-long';
      if (isReported) checkReports(world);
      if (isReported) await resolve();
      else checkAgreement(world);
      if (!isReported) await checkPayments(world);
    });
  }
});
