import { fromHex, type Hex } from '@hemid/protocol';
import { createSeededRandom } from '@hemid/testkit';
import { createCampaign, FACTORY, FACTORY_CODE, type Trial } from './campaign.ts';
import type { Beginning, BlockPlan, BlockResult, Outcome } from './engine.ts';
import { type HemidEngine, openHemidEngine } from './hemid-engine.ts';

export const CHAIN_ID = 17_017;

/** A rival that executes the same blocks. */
export interface Rival {
  block(plan: BlockPlan, hemid: BlockResult): Promise<BlockResult>;
  /** Looks at both states after an equal block; @returns a difference in words. */
  compareState?(hemid: HemidEngine, addresses: readonly Hex[]): Promise<string | undefined>;
}

export interface RunOptions {
  seed: number;
  /** At least so many transactions. */
  count: number;
  isStrict: boolean;
}

/** How often each kind of transaction ended how, as `kind status`. */
export type Tally = Map<string, number>;

const REPLAY = (seed: number, count: number): string => `replay: HEMID_SEED=${seed} HEMID_DIFF=${count} npx vitest run test/differential`;

/** The EIP-2935 contract; blocks write to it before anything runs. */
const HISTORY: Hex = '0x0000f90827f1c53a10cb7a02335b175320002935';
const HISTORY_CODE: Hex =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';

/** Where a chain with these accounts begins. */
export function beginningOf(funded: readonly Hex[]): Beginning {
  const accounts: Beginning['accounts'] = {
    [FACTORY]: { balance: '0', nonce: 1, code: FACTORY_CODE },
    [HISTORY]: { balance: '0', nonce: 1, code: HISTORY_CODE },
  };
  for (const address of funded) accounts[address] = { balance: `${10n ** 24n}` };
  return { chainId: CHAIN_ID, accounts };
}

/** The first difference of two results, in words. */
export function differenceOf(plan: BlockPlan, hemid: BlockResult, rival: BlockResult, trials: readonly Trial[]): string | undefined {
  for (const [i, mine] of hemid.outcomes.entries()) {
    const theirs = rival.outcomes[i] as Outcome;
    if (JSON.stringify(mine) === JSON.stringify(theirs)) continue;
    const { kind, raw } = trials[i] as Trial;
    return `block ${plan.number}, transaction ${i} (${kind}): hemid ${JSON.stringify(mine)}, rival ${JSON.stringify(theirs)}; raw ${raw}`;
  }
  if (rival.stateRoot === undefined || hemid.stateRoot === rival.stateRoot) return undefined;
  return `block ${plan.number}: state root ${hemid.stateRoot}, rival ${rival.stateRoot}, after equal outcomes of ${trials.map(({ kind }) => kind).join(', ')}`;
}

/**
 * Runs the transactions of a seed through both engines, hemid first, block by block.
 *
 * @throws naming the first difference, and how to see it again.
 */
export async function runDifferential(start: (beginning: Beginning) => Promise<Rival>, options: RunOptions): Promise<Tally> {
  const { seed, count, isStrict } = options;
  const campaign = createCampaign({ chainId: CHAIN_ID, random: createSeededRandom(seed), isStrict });
  const beginning = beginningOf(campaign.funded);
  const hemid = await openHemidEngine(beginning);
  const rival = await start(beginning);
  const tally: Tally = new Map();
  let pending: Promise<void> = Promise.resolve();
  for (let done = 0; done < count; ) {
    const state = hemid.state();
    const sight = { baseFee: await hemid.baseFee(), nonce: async (address: Hex) => (await state.account(fromHex(address)))?.nonce ?? 0n };
    const trials = await campaign.next(sight);
    const { plan, result } = await hemid.block(trials.map(({ raw }) => raw));
    for (const [i, { kind }] of trials.entries()) {
      const key = `${kind} ${result.outcomes[i]?.status}`;
      tally.set(key, (tally.get(key) ?? 0) + 1);
    }
    const theirs = rival.block(plan, result);
    // One block ahead of the rival: it has a process of its own.
    await pending;
    pending = theirs.then(async (other) => {
      const difference = differenceOf(plan, result, other, trials);
      if (difference !== undefined) throw new Error(`seed ${seed}, ${difference}; ${REPLAY(seed, count)}`);
      const differing = await rival.compareState?.(hemid, campaign.known());
      if (differing !== undefined) throw new Error(`seed ${seed}, after block ${plan.number}: ${differing}; ${REPLAY(seed, count)}`);
    });
    pending.catch(() => undefined);
    if (rival.compareState !== undefined) await pending;
    done += trials.length;
  }
  await pending;
  return tally;
}
