import { type BitcoinRpc, btcFromSats, satsFromBtc } from '@hemid/bitcoin';
import { equal, isHemidError, toDigits } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { ANCHOR_SCRIPT } from './batch.ts';

export interface BumpDeps {
  /** The custodian's Bitcoin node. */
  bitcoin: BitcoinRpc;
  /** The same node's wallet with the custodian's own coins, which pay. */
  wallet: BitcoinRpc;
}

export interface BumpOptions {
  /** Blocks that a batch may wait in the mempool before it is bumped. */
  afterBlocks: number;
  /** Most that one batch may cost this custodian, sats. */
  maxSats: bigint;
}

/** Pays for batches that wait too long, by a child that spends their anchor. */
export interface Bumper {
  /** @returns what was done, in words, or `undefined` when there is nothing to do. Throws what the node's RPC does. */
  bump(batch: Transaction, signal?: AbortSignal): Promise<string | undefined>;
}

/** Blocks within which a bumped batch is wanted. */
const TARGET_BLOCKS = 3;
/** A child of an anchor, one coin of any kind (P2PKH is the largest) and one output, vbytes. */
const CHILD_VBYTES = 240;
/** What the change of a child must have. */
const CHANGE_SATS = 1_000n;

interface PoolEntry {
  vsize: number;
  height: number;
  descendantsize: number;
  fees: { base: number; descendant: number };
}

/** What `submitpackage` answers; that it does not throw says nothing. */
interface PackageAnswer {
  package_msg: string;
  'tx-results': Record<string, { error?: string }>;
}

const orAbsent = async <T>(answer: Promise<unknown>): Promise<T | undefined> => {
  try {
    return (await answer) as T;
  } catch (error) {
    if (isHemidError(error, 'bitcoin/rpc')) return undefined;
    throw error;
  }
};

/**
 * Bumps by child-pays-for-parent (docs/protocol.md, Tunnel): the batch stays as all have signed it, so that this needs nobody
 * else, and no version of it comes into being.
 */
export function createBumper({ bitcoin, wallet }: BumpDeps, { afterBlocks, maxSats }: BumpOptions): Bumper {
  const entryOf = (txid: string, signal?: AbortSignal) => orAbsent<PoolEntry>(bitcoin('getmempoolentry', [txid], signal));

  /** Sats per vbyte that blocks want, but at least what the mempool wants: all that a node knows that has just begun to look. */
  async function wantedRate(signal?: AbortSignal): Promise<number> {
    const { feerate = 0 } = (await bitcoin('estimatesmartfee', [TARGET_BLOCKS], signal)) as { feerate?: number };
    const { mempoolminfee } = (await bitcoin('getmempoolinfo', [], signal)) as { mempoolminfee: number };
    return Math.max(feerate, mempoolminfee) * 1e5;
  }

  async function feeOf(batch: Transaction, signal?: AbortSignal): Promise<bigint | undefined> {
    let has = 0n;
    for (const { hash, index } of batch.ins) {
      const txid = toDigits(hash.toReversed());
      const out = (await bitcoin('gettxout', [txid, index, true], signal)) as { value: number } | null;
      if (out === null) return undefined;
      has += satsFromBtc(out.value);
    }
    return has - batch.outs.reduce((sum, { value }) => sum + value, 0n);
  }

  /** A child with this fee, signed, on a coin of the wallet. */
  async function createChild(
    batch: Transaction,
    { feeSats, signal }: { feeSats: bigint; signal: AbortSignal | undefined },
  ): Promise<string | undefined> {
    const anchor = { txid: batch.getId(), vout: batch.outs.findIndex(({ script }) => equal(script, ANCHOR_SCRIPT)) };
    const anchorSats = batch.outs[anchor.vout]?.value ?? 0n;
    const coins = (await wallet('listunspent', [1], signal)) as { txid: string; vout: number; amount: number }[];
    const able = coins.filter(({ amount }) => satsFromBtc(amount) + anchorSats >= feeSats + CHANGE_SATS).sort((a, b) => a.amount - b.amount);
    const [coin] = able;
    if (coin === undefined) return undefined;
    const change = (await wallet('getrawchangeaddress', [], signal)) as string;
    const inputs = [anchor, { txid: coin.txid, vout: coin.vout }].map((input) => ({ ...input, sequence: 0xfffffffd }));
    const rest = btcFromSats(satsFromBtc(coin.amount) + anchorSats - feeSats);
    const raw = await bitcoin('createrawtransaction', [inputs, [{ [change]: rest }]], signal);
    const known = [{ ...anchor, scriptPubKey: toDigits(ANCHOR_SCRIPT), amount: btcFromSats(anchorSats) }];
    const signed = (await wallet('signrawtransactionwithwallet', [raw, known], signal)) as { hex: string; complete: boolean };
    return signed.complete ? signed.hex : undefined;
  }

  /** Sends a batch that the mempool does not take by itself; @returns why it does not take both either, or `undefined`. */
  async function sendBoth(batch: Transaction, child: string, signal?: AbortSignal): Promise<string | undefined> {
    const answer = (await bitcoin('submitpackage', [[toDigits(batch.toBuffer()), child]], signal)) as PackageAnswer;
    if (answer.package_msg === 'success') return undefined;
    const [reason = answer.package_msg] = Object.values(answer['tx-results']).flatMap(({ error }) => error ?? []);
    return reason;
  }

  return {
    async bump(batch, signal) {
      const txid = batch.getId();
      const vout = batch.outs.findIndex(({ script }) => equal(script, ANCHOR_SCRIPT));
      if (vout === -1) return undefined;
      const rate = await wantedRate(signal);
      const entry = await entryOf(txid, signal);
      const tip = (await bitcoin('getblockcount', [], signal)) as number;
      if (entry !== undefined && tip - entry.height < afterBlocks) return undefined;
      const ownFee = entry === undefined ? await feeOf(batch, signal) : satsFromBtc(entry.fees.base);
      if (ownFee === undefined) return undefined;
      const size = entry?.vsize ?? batch.virtualSize();
      const family = entry === undefined ? { fee: ownFee, size } : { fee: satsFromBtc(entry.fees.descendant), size: entry.descendantsize };
      if (Number(family.fee) >= rate * family.size) return undefined;
      const [{ spendingtxid: rival } = { spendingtxid: undefined }] = (await bitcoin('gettxspendingprevout', [[{ txid, vout }]], signal)) as [
        { spendingtxid?: string }?,
      ];
      const rivalEntry = rival === undefined ? undefined : await entryOf(rival, signal);
      // BIP-125: a replacement pays for what it throws out, and for itself.
      const least = rivalEntry === undefined ? BigInt(CHILD_VBYTES) : satsFromBtc(rivalEntry.fees.descendant) + BigInt(2 * CHILD_VBYTES);
      const wanted = BigInt(Math.ceil(rate * (size + CHILD_VBYTES))) - ownFee;
      const feeSats = wanted > least ? wanted : least;
      if (feeSats > maxSats) return `bumping ${txid} would cost ${feeSats} sats, more than the ${maxSats} that it may`;
      const child = await createChild(batch, { feeSats, signal });
      if (child === undefined) return `the wallet has no coin that pays ${feeSats} sats to bump ${txid}`;
      const refused = entry === undefined ? await sendBoth(batch, child, signal) : undefined;
      if (refused !== undefined) return `the Bitcoin node takes ${txid} not even with a child of ${feeSats} sats: ${refused}`;
      if (entry !== undefined) await bitcoin('sendrawtransaction', [child], signal);
      return `bumped ${txid} with ${feeSats} sats by ${Transaction.fromHex(child).getId()}`;
    },
  };
}
