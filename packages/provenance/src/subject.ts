import {
  type Deposit,
  decodeSystemTransaction,
  displayBytes,
  encodeSystemTransaction,
  equal,
  hashTransaction,
  rulesAt,
  TUNNEL_TYPE,
  toDeposit,
  toDepositTransaction,
  txidOfTunnelTransaction,
} from '@hemid/protocol';
import { fail } from './errors.ts';
import type { L2Place, ProvenanceDeps } from './ports.ts';

/** What is asked for: a canonical L2 block, or 32 bytes that name a block, a transaction or, in display order, a deposit. */
export type SubjectId = { number: bigint } | { hash: Uint8Array };

/** A deposit in Bitcoin. */
export interface FoundLock {
  deposit: Deposit;
  height: number;
  /** Of the transaction in its block. */
  index: number;
  blockHash: Uint8Array;
}

/** What was found: a deposit has a block and an index once it is credited. */
export interface Subject {
  lock?: FoundLock;
  block?: L2Place;
  /** Of the transaction in the L2 block. */
  index?: number;
}

/** The deposit that a Bitcoin transaction makes, with the transaction that credits it, if it was. */
function findDeposit(txid: Uint8Array, { spec, chain, bitcoin }: ProvenanceDeps): Subject | undefined {
  const place = bitcoin.placeOf(txid);
  if (place === undefined) return undefined;
  const transactions = bitcoin.transactions(place.blockHash);
  const index = transactions.findIndex((one) => equal(one.txid, txid));
  const transaction = transactions[index];
  if (transaction === undefined) return undefined;
  // Vault, limits and fee are those in force when it was credited: the newest rules first.
  const now = chain.head('latest').header.timestamp;
  const times = [BigInt(spec.genesis.time), ...spec.upgrades.map((upgrade) => BigInt(upgrade.timestamp)).filter((time) => time <= now)].reverse();
  const deposits = times.map((time) => toDeposit(transaction, place.height, rulesAt(spec, time))).filter((one) => one !== undefined);
  for (const deposit of deposits) {
    const at = chain.transaction(hashTransaction(encodeSystemTransaction(toDepositTransaction(deposit))));
    const block = at && chain.header(at.blockHash);
    if (at !== undefined && block !== undefined) return { lock: { deposit, ...place, index }, block, index: at.index };
  }
  const [deposit] = deposits;
  return deposit && { lock: { deposit, ...place, index } };
}

/** The deposit that a transaction of a block credits, if it is one that does. */
function depositOf(place: { blockHash: Uint8Array; index: number }, deps: ProvenanceDeps): Subject | undefined {
  const raw = deps.chain.block(place.blockHash)?.block.transactions[place.index];
  const transaction = raw?.[0] === TUNNEL_TYPE ? decodeSystemTransaction(raw) : undefined;
  if (transaction?.type !== TUNNEL_TYPE) return undefined;
  const found = findDeposit(txidOfTunnelTransaction(transaction), deps);
  return found?.block !== undefined && equal(found.block.hash, place.blockHash) && found.index === place.index ? found : undefined;
}

/** Finds what is asked for; @throws `provenance/not-found`. */
export function findSubject(deps: ProvenanceDeps, id: SubjectId): Subject {
  const { chain } = deps;
  if ('number' in id) {
    const block = chain.headerAt(id.number);
    if (block === undefined) throw fail('provenance/not-found', `there is no block ${id.number} yet`);
    return { block };
  }
  const place = chain.transaction(id.hash);
  const block = chain.header(place?.blockHash ?? id.hash);
  if (block !== undefined && !chain.isCanonical(block))
    throw fail('provenance/not-found', 'the block is not on the canonical chain: nothing anchors it');
  if (block !== undefined && place !== undefined) return depositOf(place, deps) ?? { block, index: place.index };
  if (block !== undefined) return { block };
  const deposit = findDeposit(displayBytes(id.hash), deps);
  if (deposit !== undefined) return deposit;
  throw fail('provenance/not-found', 'no L2 block, no L2 transaction and, as far as the L2 chain sees Bitcoin, no deposit goes by that name');
}
