import {
  type BitcoinTransaction,
  type Deposit,
  decodeTunnelTransaction,
  displayBytes,
  encodeTunnelTransaction,
  equal,
  hashTransaction,
  rulesAt,
  TUNNEL_TYPE,
  toDeposit,
  toDepositTransaction,
  txidOfTunnelTransaction,
} from '@hemid/protocol';
import { fail } from './errors.ts';
import type { L2Place, ProvenanceDeps, WithdrawalState } from './ports.ts';
import { readRequests, type WithdrawalRequest } from './withdrawal-request.ts';

/**
 * What is asked for: a canonical L2 block, the id of a withdrawal, or 32 bytes that name a block, a transaction or, in
 * display order, a deposit.
 */
export type SubjectId = { number: bigint } | { withdrawal: bigint } | { hash: Uint8Array };

/** A transaction in a Bitcoin block. */
export interface FoundInBitcoin {
  height: number;
  /** Of the transaction in its block. */
  index: number;
  blockHash: Uint8Array;
  transaction: BitcoinTransaction;
}

/** A transaction of an L2 block. */
export interface FoundOnL2 {
  block: L2Place;
  index: number;
}

/** A withdrawal, and how far it has come. */
export interface FoundWithdrawal {
  request: WithdrawalRequest;
  state: WithdrawalState;
  payment: FoundInBitcoin | undefined;
  settlement: FoundOnL2 | undefined;
}

/** What was found: a deposit has a block and an index once it is credited. */
export interface Subject {
  lock?: FoundInBitcoin & { deposit: Deposit };
  withdrawal?: FoundWithdrawal;
  block?: L2Place;
  /** Of the transaction in the L2 block. */
  index?: number;
}

function findInBitcoin(txid: Uint8Array, { bitcoin }: ProvenanceDeps): FoundInBitcoin | undefined {
  const place = bitcoin.placeOf(txid);
  const transactions = place === undefined ? [] : bitcoin.transactions(place.blockHash);
  const index = transactions.findIndex((one) => equal(one.txid, txid));
  const transaction = transactions[index];
  return place && transaction && { ...place, index, transaction };
}

function findOnL2(at: { blockHash: Uint8Array; index: number } | undefined, { chain }: ProvenanceDeps): FoundOnL2 | undefined {
  const block = at && chain.header(at.blockHash);
  return at && block && { block, index: at.index };
}

/** The deposit that a Bitcoin transaction makes, with the transaction that credits it, if it was. */
function findDeposit(txid: Uint8Array, deps: ProvenanceDeps): Subject | undefined {
  const { spec, chain } = deps;
  const place = findInBitcoin(txid, deps);
  if (place === undefined) return undefined;
  // Vault, limits and fee are those in force when it was credited: the newest rules first.
  const now = chain.head('latest').header.timestamp;
  const times = [BigInt(spec.genesis.time), ...spec.upgrades.map((upgrade) => BigInt(upgrade.timestamp)).filter((time) => time <= now)].reverse();
  const deposits = times.map((time) => toDeposit(place.transaction, place.height, rulesAt(spec, time))).filter((one) => one !== undefined);
  for (const deposit of deposits) {
    const credit = findOnL2(chain.transaction(hashTransaction(encodeTunnelTransaction(toDepositTransaction(deposit)))), deps);
    if (credit !== undefined) return { lock: { deposit, ...place }, ...credit };
  }
  const [deposit] = deposits;
  return deposit && { lock: { deposit, ...place } };
}

/** The deposit that a transaction of a block credits, if it is one that does. */
function depositOf(place: FoundOnL2, deps: ProvenanceDeps): Subject | undefined {
  const raw = deps.chain.block(place.block.hash)?.block.transactions[place.index];
  const transaction = raw?.[0] === TUNNEL_TYPE ? decodeTunnelTransaction(raw) : undefined;
  if (transaction === undefined) return undefined;
  const found = findDeposit(txidOfTunnelTransaction(transaction), deps);
  return found?.block !== undefined && equal(found.block.hash, place.block.hash) && found.index === place.index ? found : undefined;
}

function findWithdrawal(request: WithdrawalRequest, state: WithdrawalState, deps: ProvenanceDeps): FoundWithdrawal {
  const { settledBy } = state;
  const settlement = settledBy && findOnL2(deps.chain.tunnelTransaction(settledBy), deps);
  return { request, state, payment: settledBy && findInBitcoin(settledBy, deps), settlement };
}

/** The withdrawal with an id, and the transaction that requests it. */
async function withdrawalById(id: bigint, deps: ProvenanceDeps): Promise<Subject> {
  const state = await deps.tunnel.withdrawal(id);
  const block = state?.block;
  const receipts = (block && deps.chain.receipts(block.hash)) ?? [];
  for (const [index, receipt] of receipts.entries()) {
    const request = readRequests(receipt).find((one) => one.id === id);
    if (state !== undefined && block !== undefined && request !== undefined)
      return { withdrawal: findWithdrawal(request, state, deps), block, index };
  }
  throw fail('provenance/not-found', `there is no withdrawal ${id}: ids count from 1`);
}

/** The one withdrawal that a transaction requests, once it is settled; until then the transaction is what can be proven. */
async function settledWithdrawalOf(place: FoundOnL2, deps: ProvenanceDeps): Promise<Subject | undefined> {
  const receipt = deps.chain.receipts(place.block.hash)?.[place.index];
  const [request, ...others] = receipt === undefined ? [] : readRequests(receipt);
  if (request === undefined || others.length > 0) return undefined;
  const state = await deps.tunnel.withdrawal(request.id);
  return state?.status === 'settled' ? { withdrawal: findWithdrawal(request, state, deps), ...place } : undefined;
}

/** Finds what is asked for; @throws `provenance/not-found`. */
export async function findSubject(deps: ProvenanceDeps, id: SubjectId): Promise<Subject> {
  const { chain } = deps;
  if ('withdrawal' in id) return withdrawalById(id.withdrawal, deps);
  if ('number' in id) {
    const block = chain.headerAt(id.number);
    if (block === undefined) throw fail('provenance/not-found', `there is no block ${id.number} yet`);
    return { block };
  }
  const place = findOnL2(chain.transaction(id.hash), deps);
  const block = place?.block ?? chain.header(id.hash);
  if (block !== undefined && !chain.isCanonical(block))
    throw fail('provenance/not-found', 'the block is not on the canonical chain: nothing anchors it');
  if (place !== undefined) return depositOf(place, deps) ?? (await settledWithdrawalOf(place, deps)) ?? place;
  if (block !== undefined) return { block };
  const deposit = findDeposit(displayBytes(id.hash), deps);
  if (deposit !== undefined) return deposit;
  throw fail('provenance/not-found', 'no L2 block, no L2 transaction and, as far as the L2 chain sees Bitcoin, no deposit goes by that name');
}
