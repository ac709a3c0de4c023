import { type Chain, sequencerAt } from '@hemid/chain';
import { nextBaseFee, type UserTransaction } from '@hemid/hvm';
import {
  type AccountWrite,
  DEVELOPMENT_TYPE,
  type DevelopmentTransaction,
  equal,
  isHemidError,
  isSystemEnvelope,
  type SealedBlock,
  SYSTEM_ADDRESS,
} from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import type { Builder, DevelopmentPart } from '../builder.ts';
import type { SlotDuty } from '../duty.ts';
import { fail } from '../errors.ts';
import type { Pool } from '../pool.ts';
import { createCallQueue } from './call-queue.ts';
import { createChainTime } from './chain-time.ts';
import { createProduction } from './production.ts';
import { createSnapshots } from './snapshot.ts';

export interface DevelopmentSequencerDeps {
  chain: Chain;
  pool: Pool;
  builder: Builder;
  clock: Clock;
  log: Logger;
  onSealed: (block: SealedBlock) => void;
  onFailure: (error: unknown) => void;
}

export interface DevelopmentSequencerOptions {
  signer: Uint8Array;
  /** When blocks come: in each slot, or with each transaction. */
  production: 'slots' | 'automine';
}

/** A call in the name of an account; without a nonce it gets the next one. */
export type AccountCall = Omit<DevelopmentTransaction, 'type' | 'nonce' | 'writes'> & { nonce: bigint | undefined };

/** How many blocks are built at once, and how far apart. */
export interface MineRequest {
  count: number;
  /** Of the first of them. */
  timestamp?: bigint | undefined;
  /** Seconds between the timestamps of two of them. */
  interval?: bigint | undefined;
  /** Whether nobody waits for it any more. */
  isOver(): boolean;
}

/** The sequencer of a development chain: it builds when it is told to, at whatever time, and sets what it is asked to. */
export interface DevelopmentSequencer extends SlotDuty {
  mine(request: MineRequest): Promise<void>;
  /** Builds a block that sets these, and nothing from the pool. */
  write(writes: AccountWrite[]): Promise<void>;
  /** Takes a call; with automine it stands in a block afterwards. @returns its hash. @throws `hvm/transaction-invalid` */
  call(call: AccountCall): Promise<Uint8Array>;
  /** A call that waits. */
  readCall(hash: Uint8Array): UserTransaction | undefined;
  /** Takes a call or a transaction out of what waits; @returns whether it was there. */
  drop(hash: Uint8Array): boolean;
  /** The nonce of the address's next transaction, counting all that wait. */
  nonce(address: Uint8Array): Promise<bigint>;
  /** Something new waits: with automine it stands in a block afterwards. */
  arrived(): Promise<void>;
  snapshot(): Promise<number>;
  revert(id: number): Promise<boolean>;
  /** Goes back to the genesis; blocks come as they did at the start. */
  reset(): Promise<void>;
  /** Whether each transaction gets a block at once; blocks by themselves end. */
  setAutomine(mode: 'on' | 'off'): void;
  automines(): boolean;
  /** Seconds between blocks that come by themselves, 0: none; automine ends. */
  setInterval(seconds: number): void;
  interval(): number;
  increaseTime(seconds: bigint): bigint;
  setNextTimestamp(timestamp: bigint): void;
  setSpacing(seconds: bigint | undefined): void;
  nextTimestamp(): bigint;
}

const NO_CALL = { to: undefined, gas: 0n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, value: 0n, data: new Uint8Array() };

/** Creates the sequencer of a development chain. */
export function createDevelopmentSequencer(deps: DevelopmentSequencerDeps, options: DevelopmentSequencerOptions): DevelopmentSequencer {
  const { chain, pool, builder, clock, log } = deps;
  const { spec } = chain;
  const head = () => chain.head('latest').header;
  const time = createChainTime({ clock, spec }, () => head().timestamp);
  const calls = createCallQueue(chain.execution.common);
  const snapshots = createSnapshots({ chain, pool, calls, time });
  /** Why calls were not taken, by their hash. */
  const refusals = new WeakMap<DevelopmentTransaction, Error>();
  let automine = options.production === 'automine';
  let tail: Promise<unknown> = Promise.resolve();

  /** One after the other: each verb finds the chain as the one before has left it. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = tail.then(run);
    tail = result.catch(() => undefined);
    return result;
  }

  async function build(timestamp: bigint, development: DevelopmentPart): Promise<SealedBlock> {
    const sequencer = sequencerAt(spec, timestamp);
    if (sequencer === undefined || !equal(sequencer.signer, options.signer))
      throw fail('development/time', `the slot at ${timestamp} is not this sequencer's`);
    const sealed = await builder.build({ timestamp, sequencer, development });
    if (sealed === undefined) throw fail('development/time', `the slot at ${timestamp} was sealed before`);
    time.taken(timestamp);
    await pool.settled();
    deps.onSealed(sealed);
    return sealed;
  }

  /** A block of all that waits. */
  function buildNext(): Promise<SealedBlock> {
    const drop = (transaction: DevelopmentTransaction): void => calls.replace(calls.all().filter((one) => one !== transaction));
    return build(time.next(), {
      transactions: calls.all(),
      taken: drop,
      refused(transaction, error) {
        refusals.set(transaction, error);
        log.debug({ reason: error.message }, 'call cannot be executed');
        drop(transaction);
      },
      pool: 'taken',
    });
  }

  const hasWork = (): boolean => calls.all().length > 0 || pool.candidates(nextBaseFee(spec, head())).next() !== undefined;

  /** What passes by itself is no fault of what waits. */
  function passOver(error: unknown): undefined {
    if (!isHemidError(error) || error.severity !== 'retry') throw error;
    log.warn({ code: error.code }, `no block: ${error.message}`);
    return undefined;
  }

  async function buildAll(): Promise<void> {
    await pool.settled();
    while (automine && hasWork()) {
      const sealed = await buildNext().catch(passOver);
      if (sealed === undefined || (sealed.block.transactions.every((raw) => isSystemEnvelope(raw)) && calls.all().length === 0)) return;
    }
  }

  const tick = (): Promise<SealedBlock> => inTurn(buildNext);
  const arrived = (): Promise<void> => (automine ? inTurn(buildAll) : Promise.resolve());
  const originMs = spec.genesis.time * 1000;
  const seconds = automine ? 0 : spec.genesis.blockTime;
  const production = createProduction({ clock, log, build: tick, onFailure: deps.onFailure }, { originMs, seconds });

  async function nonce(address: Uint8Array): Promise<bigint> {
    const pooled = await pool.nonce(address);
    const called = calls.nonce(address) ?? 0n;
    return called > pooled ? called : pooled;
  }

  return {
    ...production,
    tick,
    arrived,
    nonce,
    mine: ({ count, timestamp, interval, isOver }) =>
      inTurn(async () => {
        if (timestamp !== undefined) time.setNext(timestamp);
        for (let i = 0; i < count && !isOver(); i += 1) {
          if (interval !== undefined && i > 0) time.setNext(head().timestamp + interval);
          await buildNext();
        }
      }),
    write: (writes) =>
      inTurn(async () => {
        const transaction: DevelopmentTransaction = { type: DEVELOPMENT_TYPE, from: SYSTEM_ADDRESS, nonce: head().number + 1n, ...NO_CALL, writes };
        let refusal: Error | undefined;
        await build(time.least(), {
          transactions: [transaction],
          taken: () => undefined,
          refused: (_, error) => {
            refusal = error;
          },
          pool: 'left',
        });
        if (refusal !== undefined) throw refusal;
      }),
    async call(call) {
      const transaction: DevelopmentTransaction = { type: DEVELOPMENT_TYPE, ...call, nonce: call.nonce ?? (await nonce(call.from)), writes: [] };
      const { hash } = calls.add(transaction);
      await arrived();
      const refusal = refusals.get(transaction);
      if (refusal !== undefined) throw refusal;
      return hash;
    },
    readCall: calls.read,
    drop(hash) {
      const pooled = pool.read(hash);
      if (pooled !== undefined) pool.drop(pooled);
      return calls.drop(hash) || pooled !== undefined;
    },
    snapshot: () => inTurn(async () => snapshots.take()),
    revert: (id) => inTurn(() => snapshots.revert(id)),
    reset: () =>
      inTurn(async () => {
        await snapshots.clear();
        automine = options.production === 'automine';
        production.setInterval(seconds);
      }),
    setAutomine(mode) {
      automine = mode === 'on';
      production.setInterval(0);
    },
    automines: () => automine,
    setInterval(next) {
      if (next > 0) automine = false;
      production.setInterval(next);
    },
    increaseTime: time.increase,
    setNextTimestamp: time.setNext,
    setSpacing: time.setSpacing,
    nextTimestamp: time.next,
  };
}
