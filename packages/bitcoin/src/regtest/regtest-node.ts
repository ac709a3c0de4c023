import type { Clock, Logger } from '@hemid/runtime';
import type { Batch, Store } from '@hemid/store';
import { type RegtestBlock, readWitnessCommitment, toRegtestBlock } from './block.ts';
import { mineBlock } from './block-template.ts';
import type { BlockNode } from './block-tree.ts';
import { type Chain, type ChainMove, loadChain } from './chain.ts';
import { regtestLayout } from './layout.ts';
import { loadMempool, type Mempool } from './mempool.ts';
import { type Acceptance, judge, type MempoolContext, type Refusal } from './mempool-accept.ts';
import { admit, followChain } from './mempool-follow.ts';
import { type RegtestTransaction, toRegtestTransaction } from './transaction.ts';

/** How many blocks `invalidateblock` takes back with their transactions returning to the mempool, as in Core. */
const RETURNING_BLOCKS = 10;

export interface MineRequest {
  count: number;
  /** The output script that is paid. */
  script: Uint8Array;
  /** Wanted time of the i-th block, seconds; the clock's when left out. */
  timeSeconds?: ((i: number) => number) | undefined;
}

/** The embedded Bitcoin without its RPC: what changes it, each change durable before its promise resolves. */
export interface RegtestNode {
  store: Store;
  clock: Clock;
  chain: Chain;
  mempool: Mempool;
  nowSeconds(): number;
  /** Whether the output is unspent at the tip. */
  isUnspent(txid: Uint8Array, vout: number): boolean;
  judge(transaction: RegtestTransaction): Acceptance | Refusal;
  admit(acceptance: Acceptance): Promise<void>;
  /** The hashes of the new blocks; fewer than asked for when one is refused. */
  mine(request: MineRequest): Promise<{ mined: BlockNode[]; reason?: string }>;
  /** `undefined` when the block is now the tip, or one below it; else the word that BIP22 has for it. */
  submitBlock(block: RegtestBlock): Promise<string | undefined>;
  invalidate(node: BlockNode): Promise<void>;
  reconsider(node: BlockNode): Promise<void>;
}

/** Loads the node from its store. Calls must not overlap: who owns it runs them one behind the other. */
export async function loadRegtestNode(store: Store, { clock, log }: { clock: Clock; log: Logger }): Promise<RegtestNode> {
  const chain = await loadChain(store);
  const mempool = await loadMempool(store);
  let broken: unknown;
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);
  const context = (): MempoolContext => ({ coins: store, chain, mempool, nowSeconds: nowSeconds(), arrival: 'relay' });

  /** Runs a change and commits it. Memory runs ahead of the disk, so after a failure only a restart helps. */
  async function change<T>(fn: (batch: Batch) => T): Promise<T> {
    if (broken !== undefined) throw broken;
    try {
      const batch = store.batch();
      const result = fn(batch);
      mempool.flush(batch);
      await batch.commit();
      return result;
    } catch (error) {
      broken = error;
      throw error;
    }
  }

  function offer(block: RegtestBlock): Promise<{ move?: ChainMove; known?: boolean; reason?: string }> {
    return change((batch) => {
      const answer = chain.offer(block, nowSeconds(), batch);
      if ('reason' in answer) return { reason: answer.reason };
      const moved = chain.activate(batch);
      follow(moved, batch);
      return { move: moved, known: answer.known };
    });
  }

  function follow(moved: ChainMove, batch: Batch, heightOf = (_: RegtestBlock): number => chain.tip().height): void {
    followChain(moved, { ...context(), coins: batch }, heightOf);
    for (const block of moved.added) log.debug({ hash: block.id, transactions: block.transactions.length }, 'block connected');
  }

  return {
    store,
    clock,
    chain,
    mempool,
    nowSeconds,
    isUnspent: (txid, vout) => store.get(regtestLayout.coin, { txid, vout }) !== undefined,
    judge: (transaction) => judge(transaction, context()),
    admit: (acceptance) => change(() => admit(acceptance, { mempool })),

    async mine({ count, script, timeSeconds }) {
      const mined: BlockNode[] = [];
      for (let i = 0; i < count; i += 1) {
        const block = mineBlock({ parent: chain.tip(), mempool, script, timeSeconds: timeSeconds?.(i) ?? nowSeconds() });
        const { reason, known } = await offer(block);
        if (reason !== undefined || known === true) return { mined, reason: reason ?? 'duplicate' };
        mined.push(chain.tip());
      }
      return { mined };
    },

    async submitBlock(offered) {
      const block = withWitnessNonce(offered);
      const { move: moved, known, reason } = await offer(block);
      if (reason !== undefined) return reason;
      if (known === true) return 'duplicate';
      const failure = moved?.failed.get(block.id);
      if (failure !== undefined) return failure.split(',')[0];
      return moved?.added.some(({ id }) => id === block.id) === true ? undefined : 'inconclusive';
    },

    async invalidate(node) {
      await change((batch) => {
        const moved = chain.invalidate(node, batch);
        // Core takes back one block at a time, so its transactions come in at the height below.
        const below = ({ id }: RegtestBlock): number => (chain.read(id)?.height ?? 0) - 1;
        follow({ ...moved, removed: moved.removed.slice(0, RETURNING_BLOCKS) }, batch, below);
      });
    },

    async reconsider(node) {
      await change((batch) => {
        chain.reconsider(node, batch);
        follow(chain.activate(batch), batch);
      });
    },
  };
}

/** A block that commits to witnesses may be submitted without its coinbase's own: it is put back, as Core does. */
function withWitnessNonce(block: RegtestBlock): RegtestBlock {
  const coinbase = block.transactions[0]?.tx;
  if (coinbase === undefined || coinbase.ins.length === 0 || coinbase.hasWitnesses()) return block;
  if (readWitnessCommitment(coinbase) === undefined) return block;
  const filled = coinbase.clone();
  filled.setWitness(0, [new Uint8Array(32)]);
  return toRegtestBlock(block.header, [toRegtestTransaction(filled), ...block.transactions.slice(1)]);
}
