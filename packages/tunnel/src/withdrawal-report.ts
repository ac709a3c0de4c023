import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { rulesAt, type TunnelSums } from '@hemid/protocol';
import { readTunnelAt, type TunnelContract, type WithdrawalRequest } from './tunnel-contract.ts';
import { MAX_COUNT } from './vault-spend.ts';

/** What has become of a request to withdraw. */
export interface WithdrawalReport {
  /** `requested`: its block is not final; `finalized`: custodians may pay it; `settled`: paid in Bitcoin. */
  status: 'requested' | 'finalized' | 'settled';
  request: WithdrawalRequest;
  /** The block with the request. */
  block: PlacedL2Header | undefined;
  /** The Bitcoin transaction that settled it, internal order. */
  settledBy: Uint8Array | undefined;
  /** Open requests with lower ids, which are paid before it. */
  before: bigint;
}

/** The batch that holds a settled id, and its Bitcoin transaction (internal order): batches have no gaps and at most 64 requests. */
export async function settlementOf(tunnel: TunnelContract, id: bigint): Promise<{ firstId: bigint; txid: Uint8Array } | undefined> {
  for (let first = id; first > 0n && first > id - BigInt(MAX_COUNT); first -= 1n) {
    const txid = await tunnel.settledBy(first);
    if (txid !== undefined) return { firstId: first, txid };
  }
  return undefined;
}

/** Reports on a withdrawal as the head of the chain sees it; `undefined` when nobody has requested it. */
export async function reportWithdrawal(chain: ChainReader, id: bigint): Promise<WithdrawalReport | undefined> {
  const tunnel = readTunnelAt(chain, chain.head('latest'));
  const { requests } = await tunnel.sums();
  if (id < 1n || id > requests) return undefined;
  const request = await tunnel.request(id);
  const block = chain.headerAt(request.blockNumber);
  const open = await tunnel.lowestOpenId();
  if (id < open) return { status: 'settled', request, block, settledBy: (await settlementOf(tunnel, id))?.txid, before: 0n };
  const isFinal = request.blockNumber <= chain.head('finalized').header.number;
  return { status: isFinal ? 'finalized' : 'requested', request, block, settledBy: undefined, before: id - open };
}

/** What the vaults hold, against what is owed. */
export interface ReservesReport extends TunnelSums {
  /** The vault in force first. */
  vaults: { script: Uint8Array; sats: bigint }[];
  reserveSats: bigint;
  /** Credited less settled: what all tunnelled coins are worth. */
  liabilitySats: bigint;
  /** What the vaults lack for credited less requested; while it is above 0 nobody can withdraw. */
  deficitSats: bigint;
  isBreached: boolean;
}

/** Reports on reserves and liabilities, as the head of the chain sees Bitcoin. */
export async function reportReserves(chain: ChainReader): Promise<ReservesReport> {
  const head = chain.head('latest');
  const tunnel = readTunnelAt(chain, head);
  const view = chain.viewAt(head);
  const sums = await tunnel.sums();
  const vaults: ReservesReport['vaults'] = [];
  for (const script of rulesAt(chain.spec, head.header.timestamp).vaults) vaults.push({ script, sats: await view.balance(script) });
  const reserveSats = vaults.reduce((sum, { sats }) => sum + sats, 0n);
  const lacking = sums.creditedSats - sums.requestedSats - reserveSats;
  return {
    ...sums,
    vaults,
    reserveSats,
    liabilitySats: sums.creditedSats - sums.settledSats,
    deficitSats: lacking > 0n ? lacking : 0n,
    isBreached: await tunnel.isBreached(),
  };
}
