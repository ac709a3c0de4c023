import type { BitcoinRpc } from '@hemid/bitcoin';
import { reportPayout } from '@hemid/finality';
import type { UserTransaction } from '@hemid/hvm';
import type { Upstream } from '@hemid/network';
import { toHex } from '@hemid/protocol';
import { buildProof } from '@hemid/provenance';
import { createRules, type RpcDeps, type TbcDeps } from '@hemid/rpc';
import { type Clock, type Logger, systemRandom } from '@hemid/runtime';
import { listRecoverable, reportDeposit, reportReserves, reportWithdrawal } from '@hemid/tunnel';
import { createBitcoinGateway } from './bitcoin-gateway.ts';
import { describeConflict } from './conflict.ts';
import { fail } from './errors.ts';
import type { ReadThreads } from './long-reads.ts';
import { readUnconfirmed } from './mempool.ts';
import { renderMetrics } from './metrics.ts';
import type { Node } from './node.ts';
import { createProvenanceDeps } from './provenance-deps.ts';
import { CLIENT_VERSION } from './version.ts';

/** A head older than this many slots means that the node does not keep up. */
const STALE_SLOTS = 10;

/** Why a node is not ready to serve, one sentence each. */
function reasonsOf(node: Node, clock: Clock): string[] {
  const reasons = [];
  const bitcoin = node.bitcoinSync.trouble();
  if (bitcoin !== undefined) reasons.push(`bitcoin: ${bitcoin}`);
  const upstream = node.follow?.trouble();
  if (upstream !== undefined) reasons.push(`upstream: ${upstream}`);
  const conflict = node.chain.conflict();
  if (conflict !== undefined) reasons.push(`finality/conflict: ${describeConflict(conflict)}`);
  const { checkpoint } = node.chain;
  if (checkpoint !== undefined && node.chain.header(checkpoint.hash) === undefined) {
    reasons.push(`the checkpoint, block ${checkpoint.number} ${toHex(checkpoint.hash)}, is not here yet`);
  }
  const { header } = node.chain.head('latest');
  const ageSeconds = Math.floor(clock.now() / 1000) - Number(header.timestamp);
  // A development chain may well wait for its next transaction.
  if (node.development === undefined && ageSeconds > STALE_SLOTS * node.chain.spec.genesis.blockTime)
    reasons.push(`the latest block is ${ageSeconds} s old`);
  return reasons;
}

/** The pool that RPC sees: the node's own, or on a verifier its upstream, which alone builds blocks. */
function poolOf(node: Node, upstream: Upstream | undefined): RpcDeps['pool'] {
  if (node.pool !== undefined) return node.pool;
  if (upstream === undefined) throw fail('node/config', 'a node without a pool needs an upstream to hand transactions to');
  return {
    submit: (raw) => upstream.sendTransaction(raw),
    async nonce(address) {
      return (await node.chain.stateAt(node.chain.head('latest')).account(address))?.nonce ?? 0n;
    },
    read: (): UserTransaction | undefined => undefined,
    onTransaction: () => () => undefined,
    counts: () => ({ pending: 0, queued: 0 }),
    content: () => ({ pending: new Map(), queued: new Map() }),
  };
}

/** What the RPC of a node needs besides the node. */
interface Surroundings {
  clock: Clock;
  log: Logger;
  upstream?: Upstream;
  bitcoin?: BitcoinRpc;
  longReads?: ReadThreads | undefined;
}

/** What a node gives to its RPC; `bitcoin` is a Bitcoin node whose mempool can be asked. */
export function createRpcDeps(node: Node, deps: Surroundings): RpcDeps {
  const { clock, log, upstream, bitcoin, longReads } = deps;
  const unconfirmed = bitcoin && ((txid: Uint8Array) => readUnconfirmed(bitcoin, txid));
  return {
    chain: node.chain,
    pool: poolOf(node, upstream),
    bitcoin: node.blocks,
    finality: { ...node.finality, tip: node.anchors.tip },
    payouts: { report: (keystone) => reportPayout(node.chain, keystone) },
    provenance: { build: (id, options) => buildProof(createProvenanceDeps(node), id, options) },
    tunnel: {
      deposit: (txid) => reportDeposit({ ...node, unconfirmed }, txid),
      withdrawal: (id) => reportWithdrawal(node.chain, id),
      reserves: () => reportReserves(node.chain),
      recoverable: (options) => listRecoverable(node, options),
    },
    status: {
      clientVersion: CLIENT_VERSION,
      stateWindow: node.stateWindow,
      reasons: () => reasonsOf(node, clock),
      metrics: () => renderMetrics(node, longReads?.counts()),
      syncing() {
        const way = node.follow?.catchingUp();
        return way === undefined ? false : { startingBlock: way.from, currentBlock: node.chain.head('latest').header.number, highestBlock: way.to };
      },
    },
    rules: createRules(),
    longReads,
    clock,
    random: systemRandom,
    log,
  };
}

/** What a node gives to its TBC endpoint; `bitcoin` is its Bitcoin node. */
export function createTbcDeps(node: Node, deps: { bitcoin: BitcoinRpc; clock: Clock; log: Logger }): TbcDeps {
  const { chain, headers, blocks, index, tipReader, anchors } = node;
  const { bitcoin, clock, log } = deps;
  return {
    chain,
    bitcoin: blocks,
    best: {
      ...tipReader,
      headerAt: (height) => headers.ancestor(tipReader.tip().hash, height),
      progress: () => ({ best: headers.best(), index: index.position() }),
    },
    publications: anchors,
    gateway: createBitcoinGateway(bitcoin),
    clock,
    random: systemRandom,
    log,
  };
}
