import { bitcoinReference, type ChainReader, type PlacedL2Header } from '@hemid/chain';
import { type BitcoinView, equal, rulesAt, toDisplay } from '@hemid/protocol';
import { readTunnelAt, type TunnelContract, type WithdrawalRequest } from '../tunnel-contract.ts';
import { MAX_COUNT, readMark } from '../vault-spend.ts';
import { reportReserves, settlementOf } from '../withdrawal-report.ts';
import { type Batch, toUnsigned, type VaultCoin } from './batch.ts';
import type { DecidedBatch } from './policy.ts';

/** The batch to be signed now, or why there is none, in words. */
export type Plan = DecidedBatch | { wait: string };

/** What the change must have: the largest dust limit there is. */
const DUST_SATS = 546n;
const PAGE = 1_000;

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

async function batchAt(chain: ChainReader, block: PlacedL2Header, firstId: bigint): Promise<{ batch: Batch } | { wait: string }> {
  const tunnel = readTunnelAt(chain, block);
  const { requests: highest } = await tunnel.sums();
  const requests: WithdrawalRequest[] = [];
  for (let id = firstId; id <= highest && requests.length < MAX_COUNT; id += 1n) requests.push(await tunnel.request(id));
  const needed = requests.reduce((sum, { sats }) => sum + sats, DUST_SATS);
  const [vault] = rulesAt(chain.spec, block.header.timestamp).vaults as [Uint8Array];
  const view = chain.viewAt(block);
  const tip = await chainTip(tunnel, firstId, view);
  const found = tip && view.output(tip.txid, tip.vout);
  if (tip !== undefined && found === undefined) return { wait: `the change of the batch before, ${toDisplay(tip.txid)}, is not in Bitcoin` };
  if (found !== undefined && !equal(found.script, vault)) return { wait: 'the change of the batch before lies on a former vault: sweep it first' };
  const others = (await settledCoins(chain, view, vault)).filter(
    ({ txid, vout }) => tip === undefined || !equal(txid, tip.txid) || vout !== tip.vout,
  );
  const coins: VaultCoin[] = tip === undefined || found === undefined ? [] : [{ ...tip, valueSats: found.valueSats }];
  let has = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n);
  for (const coin of others) {
    if (coins.length > 0 && has >= needed) break;
    coins.push(coin);
    has += coin.valueSats;
  }
  if (has < needed) return { wait: `the vault has ${has} sats to spend, and ${needed} are needed` };
  return { batch: { requests, coins, vault } };
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
