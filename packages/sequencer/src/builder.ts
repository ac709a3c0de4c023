import type { BlockStore, HeaderChain } from '@hemid/bitcoin';
import { bitcoinReference, type Chain, chooseRun, type PreparedBlock } from '@hemid/chain';
import { type DevelopmentTransaction, isHemidError, type SealedBlock, type Sequencer, signSeal, slotAt } from '@hemid/protocol';
import type { Clock, Logger, Secret } from '@hemid/runtime';
import { createFillBudget } from './fill-budget.ts';
import type { Pool } from './pool.ts';

export interface BuilderDeps {
  chain: Chain;
  pool: Pool;
  headers: HeaderChain;
  blocks: BlockStore;
  clock: Clock;
  log: Logger;
}

export interface BuilderOptions {
  /** The key that seals. */
  key: Secret<Uint8Array>;
}

/** What a builder decides by itself; everything else of a block follows. */
export interface BuildRequest {
  /** Seconds; the time of one of this sequencer's slots. */
  timestamp: bigint;
  sequencer: Sequencer;
  /** What stands before the transactions of the pool; on development chains alone. */
  development?: DevelopmentPart;
}

/** What a block of a development chain carries that nobody has signed. */
export interface DevelopmentPart {
  /** Those that find no room any more are left out. */
  transactions: readonly DevelopmentTransaction[];
  taken(transaction: DevelopmentTransaction): void;
  /** Called with why a transaction cannot be executed. */
  refused(transaction: DevelopmentTransaction, error: Error): void;
  /** Whether the block takes from the pool too. */
  pool: 'taken' | 'left';
}

/** Bitcoin headers further than this ahead of the block's own time (seconds) are left for later (protocol 4.2). */
const MAX_FUTURE = 7200;

/** Gas below which no transaction fits: the loop over the pool ends. */
const LEAST_GAS = 21_000n;

/** Builds one block on the head. */
export interface Builder {
  /** @returns the sealed block, or `undefined` when this slot was sealed before. */
  build(request: BuildRequest): Promise<SealedBlock | undefined>;
}

/** Creates the builder of a sequencer. */
export function createBuilder(deps: BuilderDeps, options: BuilderOptions): Builder {
  const { chain, pool, headers, blocks, clock, log } = deps;
  const budget = createFillBudget(clock, chain.spec.genesis.blockTime * 1000);

  async function fillDevelopment({ execution }: PreparedBlock, { transactions, taken, refused }: DevelopmentPart): Promise<void> {
    for (const transaction of transactions) {
      if (transaction.gas > execution.gasLeft()) continue;
      try {
        await execution.system(transaction);
        taken(transaction);
      } catch (error) {
        if (!isHemidError(error, 'hvm/transaction-invalid')) throw error;
        refused(transaction, error);
      }
    }
  }

  async function fill({ execution }: PreparedBlock): Promise<void> {
    // What the parent took must not be tried again.
    await pool.settled();
    budget.start();
    const cursor = pool.candidates(execution.header.baseFeePerGas);
    let count = 0;
    for (let transaction = cursor.next(); transaction !== undefined; transaction = cursor.next()) {
      if (execution.gasLeft() < LEAST_GAS || !budget.hasTime(count)) break;
      if (transaction.tx.gasLimit > execution.gasLeft()) {
        cursor.skipSender();
        continue;
      }
      try {
        await execution.user(transaction);
        count += 1;
      } catch (error) {
        if (!isHemidError(error, 'hvm/transaction-invalid')) throw error;
        log.debug({ reason: error.message }, 'transaction of the pool cannot be executed');
        cursor.skipSender();
        pool.drop(transaction);
      }
    }
    budget.filled(count);
  }

  async function fillAll(prepared: PreparedBlock, development: DevelopmentPart | undefined): Promise<void> {
    if (development !== undefined) await fillDevelopment(prepared, development);
    if (development?.pool !== 'left') await fill(prepared);
  }

  return {
    async build({ timestamp, sequencer, development }) {
      const slot = slotAt(chain.spec, timestamp);
      const parent = chain.head('latest');
      if (slot === undefined || timestamp <= parent.header.timestamp || chain.sealedInSlot(slot) !== undefined) return undefined;
      const attributes = chooseRun(headers, bitcoinReference(parent.header), {
        blocks,
        latestTime: Number(timestamp) + MAX_FUTURE,
      });
      const choice = { parent, timestamp, beneficiary: sequencer.feeRecipient, attributes };
      const seal = (hash: Uint8Array): Uint8Array => signSeal(options.key.reveal(), BigInt(chain.spec.genesis.chainId), hash);
      try {
        const sealed = await chain.build(choice, (prepared) => fillAll(prepared, development), seal);
        budget.done();
        return sealed;
      } catch (error) {
        // Another call for this slot came first.
        if (isHemidError(error, 'chain/slot-sealed')) return undefined;
        throw error;
      }
    },
  };
}
