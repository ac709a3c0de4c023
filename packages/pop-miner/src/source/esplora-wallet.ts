import { toBitcoinTransaction } from '@hemid/bitcoin';
import { equal, fromDisplay, fromHex, toDigits, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { z } from 'zod';
import type { Coin } from '../coin.ts';
import type { MempoolTransaction } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import { type EsploraHttp, hash, sats } from './esplora-http.ts';
import { withoutReplaced } from './replaced.ts';

/** What an Esplora server has of one wallet. */
export interface EsploraWallet {
  /** The outputs that no block has spent, and the transactions of the mempool that concern the wallet. */
  read(tipHeight: number, signal?: AbortSignal): Promise<{ coins: Coin[]; mempool: MempoolTransaction[] }>;
  /** Takes note of a transaction that was just handed over: the server may list it some seconds later. */
  add(raw: Uint8Array, tipHeight: number): void;
}

const status = z.object({ confirmed: z.boolean(), block_height: z.number().int().nullish() });
const utxoList = z.array(z.object({ txid: hash, vout: z.number().int().min(0), value: sats, status }));
const transactionList = z.array(z.object({ txid: hash }));
const transactionFacts = z.object({
  status,
  vin: z.array(z.object({ is_coinbase: z.boolean() })),
  vout: z.array(z.object({ scriptpubkey: z.string(), value: sats })),
});
type Facts = z.output<typeof transactionFacts>;

/** Creates a reader of a wallet; what does not change is asked for once. */
export function createEsploraWallet(http: EsploraHttp, wallet: PopWallet): EsploraWallet {
  /** Listed by the server, or handed over and not listed yet. */
  let waiting = new Map<string, MempoolTransaction>();
  let unlisted = new Map<string, MempoolTransaction>();
  let facts = new Map<string, Facts>();
  const ownScript = toDigits(wallet.script);

  async function getFacts(txid: string, signal?: AbortSignal): Promise<Facts> {
    return facts.get(txid) ?? http.getJson(`/tx/${txid}`, transactionFacts, signal);
  }

  async function readMempool(tipHeight: number, signal?: AbortSignal): Promise<Map<string, MempoolTransaction>> {
    const now = new Map<string, MempoolTransaction>();
    for (const { txid } of await http.getJson(`/address/${wallet.address}/txs/mempool`, transactionList, signal)) {
      const known = waiting.get(txid) ?? (await meet(txid, tipHeight, signal));
      if (known !== undefined) now.set(txid, known);
      unlisted.delete(txid);
    }
    for (const [txid, known] of unlisted) {
      if (await isWaiting(txid, { tipHeight, sinceHeight: known.sinceHeight }, signal)) now.set(txid, known);
      else unlisted.delete(txid);
    }
    return now;
  }

  /** Whether a transaction that is in no list still waits: at the latest with the next block the server knows. */
  async function isWaiting(txid: string, heights: { tipHeight: number; sinceHeight: number }, signal?: AbortSignal): Promise<boolean> {
    const at = await http.readJson(`/tx/${txid}/status`, status, signal);
    return at === undefined ? heights.tipHeight <= heights.sinceHeight : !at.confirmed;
  }

  async function meet(txid: string, tipHeight: number, signal?: AbortSignal): Promise<MempoolTransaction | undefined> {
    const hex = await http.text(`/tx/${txid}/hex`, signal);
    return hex === undefined ? undefined : toMempoolTransaction(fromHex(hex), tipHeight);
  }

  /** The confirmed outputs of the wallet among these, which transactions of the mempool spend: no list has them. */
  async function toSpentCoins(
    outpoints: readonly { txid: Uint8Array; vout: number }[],
    used: Map<string, Facts>,
    signal?: AbortSignal,
  ): Promise<Coin[]> {
    const coins: Coin[] = [];
    for (const { txid, vout } of outpoints) {
      const name = toDisplay(txid);
      if (waiting.has(name)) continue;
      const known = await getFacts(name, signal);
      used.set(name, known);
      const output = known.vout[vout];
      if (output?.scriptpubkey === ownScript) coins.push({ txid, vout, valueSats: output.value, ...originOf(known) });
    }
    return coins;
  }

  return {
    add(raw, tipHeight) {
      const added = toMempoolTransaction(raw, tipHeight);
      const left = withoutReplaced([...unlisted.values(), added]);
      unlisted = new Map(left.map((one) => [toDisplay(one.transaction.txid), one]));
    },
    async read(tipHeight, signal) {
      const used = new Map<string, Facts>();
      const coins: Coin[] = [];
      // Before the mempool: what is spent between the two questions is then in both answers, not in neither.
      for (const { txid, vout, value, status: at } of await http.getJson(`/address/${wallet.address}/utxo`, utxoList, signal)) {
        if (!at.confirmed) continue;
        const known = await getFacts(txid, signal);
        used.set(txid, known);
        coins.push({ txid: fromDisplay(txid), vout, valueSats: value, ...originOf(known), height: at.block_height ?? undefined });
      }
      waiting = await readMempool(tipHeight, signal);
      const mempool = withoutReplaced([...waiting.values()]);
      const signed = mempool.filter(({ transaction }) => showsKey(transaction, wallet));
      coins.push(
        ...(await toSpentCoins(
          signed.flatMap(({ transaction }) => transaction.inputs),
          used,
          signal,
        )),
      );
      facts = used;
      return { coins, mempool };
    },
  };
}

function toMempoolTransaction(raw: Uint8Array, sinceHeight: number): MempoolTransaction {
  return { transaction: toBitcoinTransaction(Transaction.fromBuffer(raw)), sinceHeight };
}

function originOf({ status: at, vin }: Facts): Pick<Coin, 'isCoinbase' | 'height' | 'unconfirmed'> {
  return { isCoinbase: vin[0]?.is_coinbase ?? false, height: at.block_height ?? undefined, unconfirmed: 0 };
}

/** Whether an input shows the wallet's key: which coins it spends is then worth asking. */
function showsKey({ inputs }: MempoolTransaction['transaction'], { publicKey }: PopWallet): boolean {
  return inputs.some(
    ({ scriptSig, witness }) => equal(scriptSig.subarray(-publicKey.length), publicKey) || witness.some((item) => equal(item, publicKey)),
  );
}
