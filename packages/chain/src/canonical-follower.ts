import type { HeaderChain } from '@hemid/bitcoin';
import { hashOfTransaction, proveAtOnce } from '@hemid/hvm';
import {
  type ChainSpec,
  decodeTunnelTransaction,
  encodeRlp,
  HISTORY_ADDRESS,
  hashKeystone,
  historySlot,
  type SealedBlock,
  TUNNEL_TYPE,
  txidOfTunnelTransaction,
} from '@hemid/protocol';
import { type Follower, layout } from '@hemid/store';
import { isKeystone, keystoneOf } from './keystone-of.ts';
import type { PlacedL2Header } from './ports.ts';

/** The canonical chain: number → hash. */
export const canonicalNumbers: Follower<SealedBlock> = {
  name: 'canonical',
  apply: ({ block, hash }, batch) => batch.put(layout.canonical, block.header.number, hash),
  revert: ({ block }, batch) => batch.del(layout.canonical, block.header.number),
};

/** Where each canonical transaction stands. */
export const transactionIndex: Follower<SealedBlock> = {
  name: 'transactions',
  apply({ block, hash }, batch) {
    for (const [index, raw] of block.transactions.entries()) {
      batch.put(layout.transaction, hashOfTransaction(raw), { blockHash: hash, index });
    }
  },
  revert({ block }, batch) {
    for (const raw of block.transactions) batch.del(layout.transaction, hashOfTransaction(raw));
  },
};

function* tunnelTxids({ block }: SealedBlock): Generator<[txid: Uint8Array, index: number]> {
  for (const [index, raw] of block.transactions.entries()) {
    if (raw[0] === TUNNEL_TYPE) yield [txidOfTunnelTransaction(decodeTunnelTransaction(raw)), index];
  }
}

/** Where the tunnel transaction about each Bitcoin transaction stands. */
export const tunnelIndex: Follower<SealedBlock> = {
  name: 'tunnel',
  apply(sealed, batch) {
    for (const [txid, index] of tunnelTxids(sealed)) batch.put(layout.tunnelTransaction, txid, { blockHash: sealed.hash, index });
  },
  revert(sealed, batch) {
    for (const [txid] of tunnelTxids(sealed)) batch.del(layout.tunnelTransaction, txid);
  },
};

/** Canonical keystones by abbreviated hash. */
export function createKeystoneIndex(
  spec: ChainSpec,
  headers: HeaderChain,
  ancestorOf: (block: PlacedL2Header, number: bigint) => PlacedL2Header,
): Follower<SealedBlock> {
  function idOf({ block, hash }: SealedBlock): Uint8Array | undefined {
    const placed = { header: block.header, hash };
    if (!isKeystone(spec, block.header.number)) return undefined;
    return hashKeystone(keystoneOf(spec, headers, placed, (number) => ancestorOf(placed, number)));
  }
  return {
    name: 'keystones',
    apply(sealed, batch) {
      const id = idOf(sealed);
      if (id !== undefined) batch.put(layout.keystone, id, { number: sealed.block.header.number, blockHash: sealed.hash });
    },
    revert(sealed, batch) {
      const id = idOf(sealed);
      if (id !== undefined) batch.del(layout.keystone, id);
    },
  };
}

/** What the state of each canonical keystone block shows of the blocks below it; it reads the state that the batch has moved there. */
export function createHistoryProofs(spec: ChainSpec): Follower<SealedBlock> {
  const period = BigInt(spec.genesis.keystonePeriod);
  return {
    name: 'history-proofs',
    apply({ block: { header } }, batch) {
      const { number } = header;
      if (!isKeystone(spec, number)) return;
      const numbers = number > period ? [number - 1n, number - period] : [number - 1n];
      const { account, slots } = proveAtOnce((key) => batch.get(layout.state, key), HISTORY_ADDRESS, numbers.map(historySlot));
      batch.put(layout.historyProof, number, encodeRlp([account, ...slots]));
    },
    revert({ block }, batch) {
      if (isKeystone(spec, block.header.number)) batch.del(layout.historyProof, block.header.number);
    },
  };
}
