import type { ChainReader } from '@hemid/chain';
import { toDigits, toDisplay } from '@hemid/protocol';
import type { Transaction } from 'bitcoinjs-lib';
import { readTunnelAt } from '../tunnel-contract.ts';
import { readMark } from '../vault-spend.ts';
import { reportReserves } from '../withdrawal-report.ts';
import type { Batch } from './batch.ts';
import type { Partial } from './batch-psbt.ts';
import type { VaultKeys } from './vault-keys.ts';

/** What a custodian has signed and who else has, as of its last look. */
export interface BatchStatus {
  txid: string;
  firstId: bigint;
  count: number;
  paysSats: bigint;
  /** Public keys, hex. */
  signed: string[];
  notSigned: string[];
  required: number;
}

/** Trouble with another custodian. */
export interface Trouble {
  /** URL or file. */
  from: string;
  what: string;
}

/** What an operator wants to know of a custodian: what waits, and why. All of it plain data. */
export interface CustodianStatus {
  /** What the custodian did when it looked last, or why it did nothing. */
  says: string;
  /** The first requests that are not settled. */
  waiting: { id: bigint; sats: bigint; status: 'requested' | 'finalized' | 'signed' }[];
  /** How many there are in all. */
  open: bigint;
  /** The batch that this custodian signs. */
  batch: BatchStatus | undefined;
  /** The latest complete batches, newest first; without a height, Bitcoin does not hold them. */
  complete: { txid: string; firstId: bigint; height: number | undefined }[];
  reserveSats: bigint;
  liabilitySats: bigint;
  /** What stops all custodians: a breach, a deficit, two final branches. */
  alarms: string[];
  /** Of the last look. */
  troubles: Trouble[];
}

/** Requests that a status names. */
const SHOWN = 16n;

/** Whose signatures a batch has. */
export function toBatchStatus(batch: Batch, txid: string, { vault, partials }: { vault: VaultKeys; partials: readonly Partial[] }): BatchStatus {
  const keys = vault.publicKeys.map(toDigits);
  const signed = keys.filter((key) => partials.some(({ publicKey }) => toDigits(publicKey) === key));
  return {
    txid,
    firstId: batch.requests[0]?.id ?? 0n,
    count: batch.requests.length,
    paysSats: batch.requests.reduce((sum, { sats, feeSats }) => sum + sats - feeSats, 0n),
    signed,
    notSigned: keys.filter((key) => !signed.includes(key)),
    required: vault.required,
  };
}

/** Looks at the chain for a {@link CustodianStatus}; `known` is what only the custodian knows. */
export async function reportCustodian(
  chain: ChainReader,
  known: Pick<CustodianStatus, 'says' | 'batch' | 'troubles'> & { latest: readonly Transaction[] },
): Promise<CustodianStatus> {
  const head = chain.head('latest');
  const [tunnel, view] = [readTunnelAt(chain, head), chain.viewAt(head)];
  const { requests, isBreached, deficitSats, reserveSats, liabilitySats } = await reportReserves(chain);
  const firstId = await tunnel.lowestOpenId();
  const { says, batch, troubles, latest } = known;
  const final = chain.head('finalized').header.number;
  const waiting: CustodianStatus['waiting'] = [];
  for (let id = firstId; id <= requests && id < firstId + SHOWN; id += 1n) {
    const { sats, blockNumber } = await tunnel.request(id);
    const isSigned = batch !== undefined && id >= batch.firstId && id < batch.firstId + BigInt(batch.count);
    waiting.push({ id, sats, status: isSigned ? 'signed' : blockNumber <= final ? 'finalized' : 'requested' });
  }
  const complete = latest.map((transaction) => ({
    txid: toDisplay(transaction.getHash()),
    firstId: readMark(transaction.outs)?.firstId ?? 0n,
    height: view.heightOfTransaction(transaction.getHash()),
  }));
  const alarms = [
    ...(isBreached ? ['the vault was spent by no batch: an upgrade must clear the breach'] : []),
    ...(deficitSats > 0n ? [`the vaults lack ${deficitSats} sats: nobody can withdraw until they are there`] : []),
    ...(chain.conflict() === undefined ? [] : ['two branches are both final (finality/conflict): a checkpoint must say which one counts']),
  ];
  return { says, waiting, open: requests + 1n - firstId, batch, complete, reserveSats, liabilitySats, alarms, troubles };
}
