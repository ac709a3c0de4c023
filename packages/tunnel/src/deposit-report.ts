import type { BlockStore, HeaderChain } from '@hemid/bitcoin';
import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import {
  type BitcoinTransaction,
  type Deposit,
  decodeSystemTransaction,
  equal,
  hashTransaction,
  readTunnelTransaction,
  rulesAt,
  TUNNEL_ADDRESS,
  type TunnelTransaction,
} from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { BLOCK_DONE, readCursorAt } from './queue.ts';
import { readTunnelItem } from './tunnel-item.ts';

/** What has become of a Bitcoin transaction that somebody takes for a deposit. */
export interface DepositReport {
  /**
   * `unknown`: in no block that this node holds; `seen`: in the mempool; `refused`: no deposit; `spend`: it spends from the
   * vault; `confirming`: not deep enough yet; `due`: the next L2 blocks credit it; `credited`; `claimable`: credited, but the
   * recipient was not paid and may claim it; `failed`: its credit failed on L2, to be recovered.
   */
  status: 'unknown' | 'seen' | 'refused' | 'spend' | 'confirming' | 'due' | 'credited' | 'claimable' | 'failed';
  /** The same in a sentence. */
  explanation: string;
  /** Where it stands on this node's best Bitcoin chain. */
  bitcoin: { height: number; blockHash: Uint8Array; confirmations: number } | undefined;
  /** Bitcoin height from which on an L2 block credits it. */
  dueAtHeight: number | undefined;
  deposit: Deposit | undefined;
  /** The L2 transaction about it. */
  onL2: { block: PlacedL2Header; transactionHash: Uint8Array } | undefined;
}

export interface ReportDeps {
  chain: ChainReader;
  headers: HeaderChain;
  blocks: BlockStore;
  /** A transaction in the mempool of a Bitcoin node, if there is one to ask. */
  unconfirmed?: ((txid: Uint8Array) => Promise<BitcoinTransaction | undefined>) | undefined;
}

/** Topic of what Tunnel logs when a recipient was not paid. */
const DEPOSIT_CLAIMABLE = keccak_256(new TextEncoder().encode('DepositClaimable(bytes32,address,uint256)'));
const NO_TOPIC = new Uint8Array();

/** Bitcoin blocks above the head's index tip that are looked through. */
const LOOK_AHEAD = 12;

interface Found {
  transaction: BitcoinTransaction;
  height: number;
  blockHash: Uint8Array;
}

/** Looks where the head of the chain sees Bitcoin, and in the newest blocks that it does not index yet. */
function findInBitcoin({ chain, headers, blocks }: ReportDeps, txid: Uint8Array): Found | undefined {
  const view = chain.viewAt(chain.head('latest'));
  const indexed = view.transaction(txid);
  if (indexed !== undefined) return indexed;
  const best = headers.best();
  const from = Math.max(view.indexTip.height + 1, best.height - LOOK_AHEAD);
  for (let height = from; height <= best.height; height += 1) {
    const hash = headers.ancestor(best.hash, height)?.hash;
    if (hash === undefined || !blocks.has(hash)) continue;
    const transaction = blocks.get(hash).transactions.find((one) => Buffer.compare(one.txid, txid) === 0);
    if (transaction !== undefined) return { transaction, height, blockHash: hash };
  }
  return undefined;
}

const blocksOf = (count: number): string => `${count} Bitcoin block${count === 1 ? '' : 's'}`;

/** Of a transaction that an L2 block has dealt with. */
function reportDealtWith(
  deps: ReportDeps,
  found: Found | undefined,
  place: { blockHash: Uint8Array; index: number },
): Omit<DepositReport, 'bitcoin'> {
  const { chain } = deps;
  const block = chain.header(place.blockHash) as PlacedL2Header;
  const raw = chain.block(place.blockHash)?.block.transactions[place.index] as Uint8Array;
  const item = readTunnelTransaction(decodeSystemTransaction(raw) as TunnelTransaction);
  const onL2 = { block, transactionHash: hashTransaction(raw) };
  const where = `L2 block ${block.header.number}`;
  if ('spend' in item) {
    return { status: 'spend', explanation: `it spends from the vault, reported in ${where}`, dueAtHeight: undefined, deposit: undefined, onL2 };
  }
  const { deposit } = item;
  const receipt = chain.receipts(place.blockHash)?.[place.index];
  const lost = found === undefined ? '; its Bitcoin transaction is no longer in the chain, and the vault lacks it' : '';
  const common = { dueAtHeight: undefined, deposit, onL2 };
  if (receipt?.succeeded !== true) {
    return { status: 'failed', explanation: `its credit failed in ${where}: the sats stay in the vault, to be recovered by hand${lost}`, ...common };
  }
  const isUnpaid = receipt.logs.some(({ address, topics }) => equal(address, TUNNEL_ADDRESS) && equal(topics[0] ?? NO_TOPIC, DEPOSIT_CLAIMABLE));
  if (!isUnpaid) return { status: 'credited', explanation: `credited in ${where}${lost}`, ...common };
  const explanation = `credited in ${where}, but its recipient could not be paid: it may claim the coins from Tunnel (claim)${lost}`;
  return { status: 'claimable', explanation, ...common };
}

/** Of a transaction that is in no block: what it will be if it is mined as it stands. */
function reportUnconfirmed({ chain, headers }: ReportDeps, transaction: BitcoinTransaction): Omit<DepositReport, 'bitcoin' | 'onL2'> {
  const head = chain.head('latest');
  const rules = rulesAt(chain.spec, head.header.timestamp);
  const item = readTunnelItem(transaction, headers.best().height + 1, { rules, view: chain.viewAt(head) });
  const nothing = { dueAtHeight: undefined, deposit: undefined };
  if ('refused' in item) return { status: 'refused', explanation: `not mined yet, and it will be no deposit: ${item.refused}`, ...nothing };
  if ('spend' in item) return { status: 'spend', explanation: 'it spends from the vault, and is not mined yet', ...nothing };
  const depth = chain.spec.genesis.tunnel.confirmations;
  return { status: 'seen', explanation: `in the mempool: credited once ${blocksOf(depth)} confirm it`, ...nothing, deposit: item.deposit };
}

/** Of a transaction that no L2 block has dealt with yet. */
async function reportOpen({ chain }: ReportDeps, { transaction, height }: Found): Promise<Omit<DepositReport, 'bitcoin' | 'onL2'>> {
  const head = chain.head('latest');
  const view = chain.viewAt(head);
  const item = readTunnelItem(transaction, height, { rules: rulesAt(chain.spec, head.header.timestamp), view });
  const nothing = { dueAtHeight: undefined, deposit: undefined };
  if ('refused' in item) return { status: 'refused', explanation: `no deposit: ${item.refused}`, ...nothing };
  const dueAtHeight = height + chain.spec.genesis.tunnel.confirmations - 1;
  if ('spend' in item) return { status: 'spend', explanation: 'it spends from the vault', dueAtHeight, deposit: undefined };
  const { deposit } = item;
  const left = dueAtHeight - view.lightTip.height;
  if (left > 0) return { status: 'confirming', explanation: `due in ${blocksOf(left)}, at height ${dueAtHeight}`, dueAtHeight, deposit };
  const cursor = await readCursorAt(chain.stateAt(head), view);
  const isPassed = cursor !== undefined && (cursor.height > height || (cursor.height === height && cursor.next === BLOCK_DONE));
  if (isPassed) return { status: 'refused', explanation: 'no deposit: its vault came into force after the queue had passed it', ...nothing };
  return { status: 'due', explanation: 'due: the next L2 blocks credit it', dueAtHeight, deposit };
}

/** Reports on a Bitcoin transaction (txid in internal order), as the head of the chain sees it. */
export async function reportDeposit(deps: ReportDeps, txid: Uint8Array): Promise<DepositReport> {
  const found = findInBitcoin(deps, txid);
  const confirmations = (height: number): number => deps.headers.best().height - height + 1;
  const bitcoin = found && { height: found.height, blockHash: found.blockHash, confirmations: confirmations(found.height) };
  const place = deps.chain.tunnelTransaction(txid);
  if (place !== undefined) return { ...reportDealtWith(deps, found, place), bitcoin };
  if (found !== undefined) return { ...(await reportOpen(deps, found)), bitcoin, onL2: undefined };
  const waiting = await deps.unconfirmed?.(txid);
  if (waiting !== undefined) return { ...reportUnconfirmed(deps, waiting), bitcoin, onL2: undefined };
  const explanation = 'in no Bitcoin block that this node holds from the hVM genesis on: not mined yet, or another txid';
  return { status: 'unknown', explanation, bitcoin, dueAtHeight: undefined, deposit: undefined, onL2: undefined };
}
