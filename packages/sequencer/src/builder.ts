import type { BlockStore, HeaderChain } from '@hemid/bitcoin';
import { bitcoinReference, type Chain, chooseRun, type PreparedBlock } from '@hemid/chain';
import { isHemidError, type SealedBlock, type Sequencer, signSeal, slotAt } from '@hemid/protocol';
import type { Logger, Secret } from '@hemid/runtime';
import type { Pool } from './pool.ts';

export interface BuilderDeps {
  chain: Chain;
  pool: Pool;
  headers: HeaderChain;
  blocks: BlockStore;
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
  const { chain, pool, headers, blocks, log } = deps;

  async function fill({ execution }: PreparedBlock): Promise<void> {
    // What the parent took must not be tried again.
    await pool.settled();
    const cursor = pool.candidates(execution.header.baseFeePerGas);
    for (let transaction = cursor.next(); transaction !== undefined; transaction = cursor.next()) {
      if (execution.gasLeft() < LEAST_GAS) return;
      if (transaction.tx.gasLimit > execution.gasLeft()) {
        cursor.skipSender();
        continue;
      }
      try {
        await execution.user(transaction);
      } catch (error) {
        if (!isHemidError(error, 'hvm/transaction-invalid')) throw error;
        log.debug({ reason: error.message }, 'transaction of the pool cannot be executed');
        cursor.skipSender();
        pool.drop(transaction);
      }
    }
  }

  return {
    async build({ timestamp, sequencer }) {
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
        return await chain.build(choice, fill, seal);
      } catch (error) {
        // Another call for this slot came first.
        if (isHemidError(error, 'chain/slot-sealed')) return undefined;
        throw error;
      }
    },
  };
}
