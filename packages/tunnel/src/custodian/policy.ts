import type { ChainReader } from '@hemid/chain';
import { readTunnelAt } from '../tunnel-contract.ts';
import { readMark } from '../vault-spend.ts';
import { settlementOf } from '../withdrawal-report.ts';
import type { Batch } from './batch.ts';

/**
 * When this custodian signs. A policy never says what is in a batch, so custodians need not have the same one: a batch that one
 * of them holds back is the same batch when it signs it later.
 */
export interface CustodianPolicy {
  /** Sats that may be paid out of the vault in 144 Bitcoin blocks; `undefined`: any amount. */
  dailyLimitSats: bigint | undefined;
  /** A request of so many sats or more is large; `undefined`: none is. */
  largeSats: bigint | undefined;
  /** Bitcoin blocks that a batch with a large request waits after it can be final. */
  largeDelayBlocks: number;
}

/** A batch, and where it comes from. */
export interface DecidedBatch {
  batch: Batch;
  /** Script of the vault that all its inputs lie on; its change goes to the vault in force. */
  source: Uint8Array;
  /** Bitcoin height that the deciding block names. */
  decidedAt: number;
}

/** Bitcoin blocks that a daily limit is for. */
const DAY_BLOCKS = 144;

/** Sats that a batch pays, fees left out. */
const paidBy = ({ requests }: Batch): bigint => requests.reduce((sum, { sats, feeSats }) => sum + sats - feeSats, 0n);

/** Sats that settled batches above a Bitcoin height have paid, or `undefined` while Bitcoin does not hold one of them. */
async function paidSince(chain: ChainReader, height: number, firstId: bigint): Promise<bigint | undefined> {
  const head = chain.head('latest');
  const [tunnel, view] = [readTunnelAt(chain, head), chain.viewAt(head)];
  let sum = 0n;
  for (let id = firstId - 1n; id > 0n; ) {
    const settlement = await settlementOf(tunnel, id);
    const found = settlement && view.transaction(settlement.txid);
    if (settlement === undefined || found === undefined) return undefined;
    if (found.height <= height) return sum;
    const { outputs } = found.transaction;
    sum += outputs.slice(0, readMark(outputs)?.count ?? 0).reduce((paid, { valueSats }) => paid + valueSats, 0n);
    id = settlement.firstId - 1n;
  }
  return sum;
}

function waitsForLarge(chain: ChainReader, { batch, decidedAt }: DecidedBatch, { largeSats, largeDelayBlocks }: CustodianPolicy): string | undefined {
  const large = largeSats === undefined ? undefined : batch.requests.find(({ sats }) => sats >= largeSats);
  if (large === undefined) return undefined;
  // A publication stands above the tip that its keystone's block names, and is super-final so many blocks later.
  const from = decidedAt + 1 + chain.spec.genesis.finality.super + largeDelayBlocks;
  const { height } = chain.viewAt(chain.head('latest')).indexTip;
  return height >= from ? undefined : `request ${large.id} of ${large.sats} sats is large: it waits until Bitcoin block ${from}, now ${height}`;
}

async function waitsForLimit(chain: ChainReader, { batch, decidedAt }: DecidedBatch, limit: bigint): Promise<string | undefined> {
  const { height } = chain.viewAt(chain.head('latest')).indexTip;
  const pays = paidBy(batch);
  // What is more than one day's limit waits as many days as it needs of them, and then has them for itself.
  const days = pays <= limit ? 1n : (pays + limit - 1n) / limit;
  const since = Math.max(0, height - DAY_BLOCKS * Number(days));
  if (days > 1n && decidedAt > since) {
    return `it pays ${pays} sats, the limit of ${days} days: it waits until Bitcoin block ${decidedAt + DAY_BLOCKS * Number(days)}, now ${height}`;
  }
  const paid = await paidSince(chain, since, batch.requests[0]?.id ?? 1n);
  if (paid === undefined) return 'a settled batch, which counts for the limit of a day, is not in Bitcoin just now';
  if (paid + pays <= limit * days) return undefined;
  return `it pays ${pays} sats, and ${paid} were paid since Bitcoin block ${since}: the limit is ${limit} in ${DAY_BLOCKS} blocks`;
}

/** Why a batch is not signed yet under a policy, in words; `undefined` when it may be. Only time passing lets it through. */
export async function whyHeld(chain: ChainReader, decided: DecidedBatch, policy: CustodianPolicy): Promise<string | undefined> {
  const large = waitsForLarge(chain, decided, policy);
  if (large !== undefined || policy.dailyLimitSats === undefined) return large;
  return waitsForLimit(chain, decided, policy.dailyLimitSats);
}
