import { bitcoinReference, type ChainReader, type PlacedL2Header } from '@hemid/chain';
import { type BitcoinView, equal, rulesAt, toDisplay } from '@hemid/protocol';
import { readTunnelAt, type TunnelContract, type WithdrawalRequest } from '../tunnel-contract.ts';
import { MAX_COUNT, readMark } from '../vault-spend.ts';
import { reportReserves, settlementOf } from '../withdrawal-report.ts';
import { type Batch, toUnsigned, type VaultCoin } from './batch.ts';
import { chooseCoins } from './coin-selection.ts';
import type { DecidedBatch } from './policy.ts';

/** The batch to be signed now, or why there is none, in words. */
export type Plan = DecidedBatch | { wait: string };

/** What the change must have: the largest dust limit there is. */
const DUST_SATS = 546n;
const PAGE = 1_000;
/** A coin of fewer minimal deposits than this is small. */
const SMALL_DEPOSITS = 10n;

/** Where the chain of batches stands: the output that input 0 spends; `undefined` before the first batch. */
async function chainTip(tunnel: TunnelContract, firstId: bigint, view: BitcoinView): Promise<{ txid: Uint8Array; vout: number } | undefined> {
  const settlement = firstId === 1n ? undefined : await settlementOf(tunnel, firstId - 1n);
  if (settlement === undefined) return undefined;
  let tip = { txid: settlement.txid, vout: Number(firstId - settlement.firstId) };
  for (;;) {
    const spentAt = view.output(tip.txid, tip.vout)?.spentAt;
    if (spentAt === undefined) return tip;
    const { txid, vout } = tip;
    const spender = view
      .transactionsAt(spentAt)
      .find(({ inputs }) => inputs[0] !== undefined && equal(inputs[0].txid, txid) && inputs[0].vout === vout);
    // Only a sweep goes on from here: a batch would have been settled, anything else is a breach.
    if (spender === undefined || readMark(spender.outputs)?.count !== 0) return tip;
    tip = { txid: spender.txid, vout: 0 };
  }
}

/** The vault's unspent coins at or below the tunnel's horizon, the most valuable first. */
async function settledCoins(chain: ChainReader, view: BitcoinView, vault: Uint8Array): Promise<VaultCoin[]> {
  const horizon = view.lightTip.height - chain.spec.genesis.tunnel.confirmations + 1;
  const coins: VaultCoin[] = [];
  for (let skip = 0; ; skip += PAGE) {
    const page = await view.unspent(vault, { skip, limit: PAGE });
    for (const coin of page) if ((view.output(coin.txid, coin.vout)?.madeAt ?? Number.POSITIVE_INFINITY) <= horizon) coins.push(coin);
    if (page.length < PAGE) break;
  }
  return coins.sort((a, b) => (a.valueSats === b.valueSats ? Buffer.compare(a.txid, b.txid) || a.vout - b.vout : a.valueSats > b.valueSats ? -1 : 1));
}

/**
 * The block that decides a batch, so that all custodians build the same one whenever they look: the first keystone block at
 * or after both the lowest open request and the settlement of the batch before, that is final and whose Bitcoin tip is on the
 * best chain. A final block may name an orphaned tip, if a later keystone stands on the other branch; its view of Bitcoin
 * cannot be read any more, and which branch won does not change again once the keystone is final.
 *
 * @returns the number of the next block that may decide, when none is there yet.
 */
async function decidingBlock(chain: ChainReader, tunnel: TunnelContract, firstId: bigint): Promise<PlacedL2Header | bigint> {
  const { blockNumber } = await tunnel.request(firstId);
  const settlement = firstId === 1n ? undefined : await settlementOf(tunnel, firstId - 1n);
  const place = settlement && chain.tunnelTransaction(settlement.txid);
  const settledAt = (place && chain.header(place.blockHash)?.header.number) ?? 0n;
  const least = blockNumber > settledAt ? blockNumber : settledAt;
  const period = BigInt(chain.spec.genesis.keystonePeriod);
  const view = chain.viewAt(chain.head('latest'));
  const final = chain.head('finalized').header.number;
  let number = ((least + period - 1n) / period) * period;
  for (; number <= final; number += period) {
    const block = chain.headerAt(number);
    if (block !== undefined && view.heightOf(bitcoinReference(block.header)) !== undefined) return block;
  }
  return number;
}

const sumOf = (coins: readonly VaultCoin[]): bigint => coins.reduce((sum, { valueSats }) => sum + valueSats, 0n);

/** Where the inputs of the batch from `firstId` on come from: one vault, and the change of the batch before on it. */
async function sourceAt(
  chain: ChainReader,
  {
    tip,
    view,
    vaults,
    leastSats,
  }: { tip: { txid: Uint8Array; vout: number } | undefined; view: BitcoinView; vaults: readonly Uint8Array[]; leastSats: bigint },
): Promise<{ source: Uint8Array; tip: VaultCoin | undefined; coins: VaultCoin[] } | { wait: string }> {
  if (tip !== undefined) {
    const found = view.output(tip.txid, tip.vout);
    if (found === undefined) return { wait: `the change of the batch before, ${toDisplay(tip.txid)}, is not in Bitcoin` };
    const { txid, vout } = tip;
    const coins = (await settledCoins(chain, view, found.script)).filter((coin) => !equal(coin.txid, txid) || coin.vout !== vout);
    return { source: found.script, tip: { txid, vout, valueSats: found.valueSats }, coins };
  }
  for (const source of vaults) {
    const coins = await settledCoins(chain, view, source);
    if (sumOf(coins) >= leastSats) return { source, tip: undefined, coins };
  }
  return { wait: `no vault has the ${leastSats} sats that the first batch needs` };
}

async function batchAt(chain: ChainReader, block: PlacedL2Header, firstId: bigint): Promise<{ batch: Batch; source: Uint8Array } | { wait: string }> {
  const tunnel = readTunnelAt(chain, block);
  const { requests: highest } = await tunnel.sums();
  const { vaults, limits } = rulesAt(chain.spec, block.header.timestamp);
  const [vault] = vaults as [Uint8Array];
  const view = chain.viewAt(block);
  const first = await tunnel.request(firstId);
  const found = await sourceAt(chain, { tip: await chainTip(tunnel, firstId, view), view, vaults, leastSats: first.sats + DUST_SATS });
  if ('wait' in found) return found;
  const { source, tip, coins } = found;
  const has = (tip?.valueSats ?? 0n) + sumOf(coins);
  // As many as the vault can pay: the others are paid from a later one.
  const requests: WithdrawalRequest[] = [];
  let neededSats = DUST_SATS;
  for (let id = firstId; id <= highest && requests.length < MAX_COUNT; id += 1n) {
    const request = await tunnel.request(id);
    if (has < neededSats + request.sats) break;
    requests.push(request);
    neededSats += request.sats;
  }
  if (requests.length === 0) return { wait: `the vault has ${has} sats to spend, and ${neededSats + first.sats} are needed` };
  const feeSats = requests.reduce((sum, request) => sum + request.feeSats, 0n);
  const smallSats = equal(source, vault) ? limits.minimumDepositSats * SMALL_DEPOSITS : undefined;
  return { batch: { requests, coins: chooseCoins({ tip, coins, neededSats, feeSats, count: requests.length, smallSats }), vault }, source };
}

/**
 * What custodians pay next (protocol section 10, Withdrawal): the lowest open requests, in a final block. A function of the
 * chain: all custodians whose verifiers agree build the same batch.
 */
export async function planBatch(chain: ChainReader): Promise<Plan> {
  // Protocol section 8: what is final may be on the other branch.
  if (chain.conflict() !== undefined) return { wait: 'two branches are both final (finality/conflict)' };
  const head = chain.head('latest');
  const tunnel = readTunnelAt(chain, head);
  const { isBreached, deficitSats, requests, liabilitySats, reserveSats } = await reportReserves(chain);
  const firstId = await tunnel.lowestOpenId();
  if (requests < firstId) return { wait: 'nobody waits to be paid' };
  if (isBreached) return { wait: 'a breach of the vault is not cleared' };
  if (deficitSats > 0n) return { wait: `the vaults lack ${deficitSats} sats` };
  const block = await decidingBlock(chain, tunnel, firstId);
  if (typeof block === 'bigint') return { wait: `block ${block}, which decides the next batch, is not final` };
  const plan = await batchAt(chain, block, firstId);
  if ('wait' in plan) return plan;
  const view = chain.viewAt(head);
  if (view.heightOfTransaction(toUnsigned(plan.batch).getHash()) !== undefined) return { wait: 'the batch is paid, and waits for its settlement' };
  // Nothing is on its way, so the vaults must hold all that is owed. Else the first to be paid would take what belongs to the others.
  if (reserveSats < liabilitySats) return { wait: `the vaults lack ${liabilitySats - reserveSats} sats` };
  return { ...plan, decidedAt: view.heightOf(bitcoinReference(block.header)) as number };
}
