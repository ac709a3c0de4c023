import type { Derivation, DerivationInput, Derived } from '@hemid/chain';
import type { StateReader, StorageWrite } from '@hemid/hvm';
import {
  type BitcoinTip,
  type BitcoinView,
  type ChainSpec,
  CURSOR_HASH_SLOT,
  CURSOR_NEXT_SLOT,
  displayBytes,
  fromBigEndian,
  rulesAt,
  seenSlot,
  TUNNEL_ADDRESS,
  type TunnelTransaction,
  toBigEndian,
} from '@hemid/protocol';
import { toTunnelTransaction } from './tunnel-item.ts';

/** `next` of a cursor whose block is done. */
export const BLOCK_DONE = 0xffffffff;

/** Where the queue stands: the next transaction to look at is `next` of that block. */
export interface Cursor {
  height: number;
  next: number;
}

/** The deepest block whose tunnel transactions are due, or `undefined` while there is none. */
function horizonOf(view: BitcoinView, confirmations: number): BitcoinTip | undefined {
  const height = view.lightTip.height - confirmations + 1;
  return height <= view.genesis.height ? undefined : view.ancestor(height);
}

/**
 * The cursor on the branch of the horizon. If its block is not an ancestor-or-self of the horizon it falls back to
 * their last common ancestor, so that a deep Bitcoin reorg walks the new branch again.
 */
async function readCursor({ state, view }: DerivationInput, lastCommon: (hash: Uint8Array) => number, horizon: BitcoinTip): Promise<Cursor> {
  const stored = await state.storage(TUNNEL_ADDRESS, CURSOR_HASH_SLOT);
  const next = Number(fromBigEndian(await state.storage(TUNNEL_ADDRESS, CURSOR_NEXT_SLOT)));
  if (fromBigEndian(stored) === 0n) return { height: view.genesis.height, next: BLOCK_DONE };
  const hash = displayBytes(stored);
  const height = view.heightOf(hash);
  if (height !== undefined && height <= horizon.height) return { height, next };
  return { height: Math.min(lastCommon(hash), horizon.height), next: BLOCK_DONE };
}

function cursorWrites(hash: Uint8Array, next: number): StorageWrite[] {
  return [
    { address: TUNNEL_ADDRESS, slot: CURSOR_HASH_SLOT, value: displayBytes(hash) },
    { address: TUNNEL_ADDRESS, slot: CURSOR_NEXT_SLOT, value: toBigEndian(next, 32) },
  ];
}

/** The cursor in a state, or `undefined` when its block is none of the view's branch, or there is no cursor yet. */
export async function readCursorAt(state: StateReader, view: BitcoinView): Promise<Cursor | undefined> {
  const height = view.heightOf(displayBytes(await state.storage(TUNNEL_ADDRESS, CURSOR_HASH_SLOT)));
  if (height === undefined) return undefined;
  return { height, next: Number(fromBigEndian(await state.storage(TUNNEL_ADDRESS, CURSOR_NEXT_SLOT))) };
}

/** Deposits and vault spends due in a block, in Bitcoin order, from the cursor to the horizon (protocol section 10). */
export function createTunnelDerivation(spec: ChainSpec, headers: { commonAncestor(a: Uint8Array, b: Uint8Array): BitcoinTip }): Derivation {
  return {
    name: 'tunnel',
    async due(input): Promise<Derived> {
      const { view, state } = input;
      const horizon = horizonOf(view, spec.genesis.tunnel.confirmations);
      if (horizon === undefined) return { transactions: [], writes: [] };
      const cursor = await readCursor(input, (hash) => headers.commonAncestor(hash, horizon.hash).height, horizon);
      const rules = rulesAt(spec, input.timestamp);
      const transactions: TunnelTransaction[] = [];
      let { budget } = input;
      let behindLast: StorageWrite[] | undefined;
      for (let height = cursor.next === BLOCK_DONE ? cursor.height + 1 : cursor.height; height <= horizon.height; height += 1) {
        for (const [i, transaction] of view.transactionsAt(height).entries()) {
          if (height === cursor.height && i < cursor.next) continue;
          const item = toTunnelTransaction(transaction, height, { rules, view });
          if (item === undefined) continue;
          if (fromBigEndian(await state.storage(TUNNEL_ADDRESS, seenSlot(transaction.txid))) !== 0n) continue;
          if (item.gas > budget) return { transactions, writes: behindLast ?? [] };
          transactions.push(item);
          budget -= item.gas;
          behindLast = cursorWrites(view.ancestor(height)?.hash ?? horizon.hash, i + 1);
        }
      }
      return { transactions, writes: cursorWrites(horizon.hash, BLOCK_DONE) };
    },
  };
}
