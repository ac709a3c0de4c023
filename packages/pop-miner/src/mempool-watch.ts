import { type BitcoinRpc, toBitcoinTransaction } from '@hemid/bitcoin';
import { type BitcoinTransaction, equal, fromHex, isHemidError } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import type { PopWallet } from './pop-wallet.ts';

/** The part of the Bitcoin node's mempool that the miner has to do with. */
export interface MempoolWatch {
  /** Transactions that pay the miner, or that a key like the miner's has signed; parents and children in any order. */
  look(signal?: AbortSignal): Promise<BitcoinTransaction[]>;
  /** How many transactions of the mempool this one rests on, its own included; `undefined` when it has left. */
  readAncestors(id: string, signal?: AbortSignal): Promise<number | undefined>;
}

const RPC_NOT_FOUND = -5;

/**
 * Watches the mempool. Every transaction is looked at once, the first time that it is seen: so a transaction that
 * another run of the miner sent, or that a reorg brought back, is found like any other.
 */
export function createMempoolWatch({ rpc, wallet }: { rpc: BitcoinRpc; wallet: PopWallet }): MempoolWatch {
  const seen = new Map<string, BitcoinTransaction | 'of others'>();

  async function unlessGone<T>(call: Promise<unknown>): Promise<T | undefined> {
    try {
      return (await call) as T;
    } catch (error) {
      if (isHemidError(error, 'bitcoin/rpc') && error.details['rpcCode'] === RPC_NOT_FOUND) return undefined;
      throw error;
    }
  }

  async function meet(id: string, signal?: AbortSignal): Promise<void> {
    const hex = await unlessGone<string>(rpc('getrawtransaction', [id, false], signal));
    if (hex === undefined) return;
    const transaction = toBitcoinTransaction(Transaction.fromBuffer(fromHex(hex)));
    seen.set(id, concerns(wallet, transaction) ? transaction : 'of others');
  }

  return {
    async look(signal) {
      const ids = new Set((await rpc('getrawmempool', [], signal)) as string[]);
      for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id);
      for (const id of ids) if (!seen.has(id)) await meet(id, signal);
      return [...seen.values()].filter((transaction) => transaction !== 'of others');
    },
    async readAncestors(id, signal) {
      const entry = await unlessGone<{ ancestorcount: number }>(rpc('getmempoolentry', [id], signal));
      return entry?.ancestorcount;
    },
  };
}

/** Whether a transaction pays the wallet or shows its key in an input. Which inputs really are its own, its coins say. */
function concerns({ script, publicKey }: PopWallet, { inputs, outputs }: BitcoinTransaction): boolean {
  if (outputs.some((output) => equal(output.script, script))) return true;
  return inputs.some(
    ({ scriptSig, witness }) => equal(scriptSig.subarray(-publicKey.length), publicKey) || witness.some((item) => equal(item, publicKey)),
  );
}
