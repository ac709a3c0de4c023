import { toDigits, toDisplay } from '@hemid/protocol';
import { type BlockNode, BlockState, hasState, medianTimePast } from './block-tree.ts';
import type { Chain } from './chain.ts';
import { describeScript, readDescriptor } from './descriptor.ts';
import { regtestLayout } from './layout.ts';
import type { RegtestNode } from './regtest-node.ts';
import type { RegtestMethod } from './rpc-method.ts';
import { RpcCode, readHash, readInt, refuse } from './rpc-params.ts';
import { DIFFICULTY, TARGET_TEXT, toAmount, toBlockShape, toChainWork, toHeaderShape, toScriptShape } from './rpc-shape.ts';
import { coinHeight, isFromCoinbase } from './spending.ts';
import { outpointKey } from './transaction.ts';

const ONE_DAY_SECONDS = 86_400;

/** The block with a hash in display order, or Core's error. */
export function getNode(chain: Chain, hash: unknown, name: string): BlockNode {
  const node = chain.read(toDisplay(readHash(hash, name)));
  if (node === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Block not found');
  return node;
}

function tipStatus(node: BlockNode, chain: Chain): string {
  if (chain.isActive(node)) return 'active';
  if (hasState(node, BlockState.FAILED)) return 'invalid';
  if (!hasState(node, BlockState.BODY)) return 'headers-only';
  return hasState(node, BlockState.CONNECTED) ? 'valid-fork' : 'valid-headers';
}

function chainTips(chain: Chain): Record<string, unknown>[] {
  const parents = new Set([...chain.blocks()].map(({ parent }) => parent));
  const leaves = [...chain.blocks()].filter((node) => !parents.has(node) || node === chain.tip());
  return leaves
    .sort((a, b) => b.height - a.height)
    .map((node) => {
      let fork: BlockNode = node;
      while (!chain.isActive(fork)) fork = fork.parent as BlockNode;
      return { height: node.height, hash: node.id, branchlen: node.height - fork.height, status: tipStatus(node, chain) };
    });
}

function chainInfo({ chain, nowSeconds }: RegtestNode): Record<string, unknown> {
  const tip = chain.tip();
  return {
    chain: 'regtest',
    blocks: tip.height,
    headers: [...chain.blocks()].reduce((best, node) => (hasState(node, BlockState.FAILED) ? best : Math.max(best, node.height)), 0),
    bestblockhash: tip.id,
    bits: tip.header.bits.toString(16),
    target: TARGET_TEXT,
    difficulty: DIFFICULTY,
    time: tip.header.time,
    mediantime: medianTimePast(tip),
    verificationprogress: 1,
    initialblockdownload: tip.header.time < nowSeconds() - ONE_DAY_SECONDS,
    chainwork: toChainWork(tip.height),
    size_on_disk: 0,
    pruned: false,
    warnings: [],
  };
}

function unspentOutput({ chain, mempool, store }: RegtestNode, txid: Uint8Array, vout: number, from: 'mempool' | 'chain'): unknown {
  if (from === 'mempool' && mempool.spender(outpointKey(txid, vout)) !== undefined) return null;
  const bestblock = chain.tip().id;
  const pending = from === 'mempool' ? mempool.read(toDisplay(txid))?.tx.outs[vout] : undefined;
  if (pending !== undefined) {
    return { bestblock, confirmations: 0, value: toAmount(pending.value), scriptPubKey: toScriptShape(pending.script), coinbase: false };
  }
  const coin = store.get(regtestLayout.coin, { txid, vout });
  if (coin === undefined) return null;
  const confirmations = chain.tip().height - coinHeight(coin) + 1;
  return { bestblock, confirmations, value: toAmount(coin.valueSats), scriptPubKey: toScriptShape(coin.script), coinbase: isFromCoinbase(coin) };
}

async function scanUnspent({ chain, store }: RegtestNode, scripts: Uint8Array[]): Promise<Record<string, unknown>> {
  const wanted = new Set(scripts.map(toDigits));
  const tip = chain.tip();
  const unspents: Record<string, unknown>[] = [];
  let txouts = 0;
  let totalSats = 0n;
  for await (const [{ txid, vout }, coin] of store.range(regtestLayout.coin)) {
    txouts += 1;
    if (!wanted.has(toDigits(coin.script))) continue;
    totalSats += coin.valueSats;
    const height = coinHeight(coin);
    unspents.push({
      txid: toDisplay(txid),
      vout,
      scriptPubKey: toDigits(coin.script),
      desc: describeScript(coin.script),
      amount: toAmount(coin.valueSats),
      coinbase: isFromCoinbase(coin),
      height,
      blockhash: chain.at(height)?.id,
      confirmations: tip.height - height + 1,
    });
  }
  return { success: true, txouts, height: tip.height, bestblock: tip.id, unspents, total_amount: toAmount(totalSats) };
}

/** Methods that read the chain. */
export const chainMethods: Record<string, RegtestMethod> = {
  getblockchaininfo: { params: [], handle: (node) => chainInfo(node) },
  getblockcount: { params: [], handle: ({ chain }) => chain.tip().height },
  getbestblockhash: { params: [], handle: ({ chain }) => chain.tip().id },
  getchaintips: { params: [], handle: ({ chain }) => chainTips(chain) },

  getblockhash: {
    params: [{ name: 'height', type: 'number' }],
    handle({ chain }, [height]) {
      const node = chain.at(readInt(height));
      if (node === undefined) throw refuse(RpcCode.PARAMETER, 'Block height out of range');
      return node.id;
    },
  },

  getblockheader: {
    params: [
      { name: 'blockhash', type: 'string' },
      { name: 'verbose', type: 'bool', optional: true },
    ],
    handle({ chain }, [hash, verbose = true]) {
      const node = getNode(chain, hash, 'hash');
      return verbose === true ? toHeaderShape(node, chain) : toDigits(node.headerBytes);
    },
  },

  getblock: {
    params: [
      { name: 'blockhash', type: 'string' },
      { name: 'verbosity', type: 'any', optional: true },
    ],
    handle({ chain }, [hash, verbosity = 1]) {
      const node = getNode(chain, hash, 'blockhash');
      const level = typeof verbosity === 'boolean' ? Number(verbosity) : readInt(verbosity);
      const block = chain.body(node);
      if (block === undefined) throw refuse(RpcCode.MISC, 'Block not available (not fully downloaded)');
      if (level > 1) throw refuse(RpcCode.PARAMETER, 'the embedded chain serves getblock with verbosity 0 and 1');
      return level <= 0 ? toDigits(block.raw) : toBlockShape(node, block, chain);
    },
  },

  gettxout: {
    params: [
      { name: 'txid', type: 'string' },
      { name: 'n', type: 'number' },
      { name: 'include_mempool', type: 'bool', optional: true },
    ],
    handle: (node, [txid, n, pending = true]) => unspentOutput(node, readHash(txid, 'txid'), readInt(n), pending === true ? 'mempool' : 'chain'),
  },

  scantxoutset: {
    params: [
      { name: 'action', type: 'string' },
      { name: 'scanobjects', type: 'array', optional: true },
    ],
    handle(node, [action, objects]) {
      if (action === 'status') return null;
      if (action === 'abort') return false;
      if (action !== 'start') throw refuse(RpcCode.PARAMETER, `Invalid action '${String(action)}'`);
      if (!Array.isArray(objects)) throw refuse(RpcCode.MISC, 'scanobjects argument is required for the start action');
      return scanUnspent(node, objects.map(readDescriptor));
    },
  },
};
