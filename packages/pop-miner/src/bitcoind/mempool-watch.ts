import { type BitcoinRpc, toBitcoinTransaction } from '@hemid/bitcoin';
import { type BitcoinTransaction, equal, fromHex, isHemidError } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import type { MempoolTransaction } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';

/** The part of the Bitcoin node's mempool that the miner has to do with. */
export interface MempoolWatch {
  /** Transactions that pay the miner, or that a key like the miner's has signed; parents and children in any order. */
  look(signal?: AbortSignal): Promise<MempoolTransaction[]>;
}

const RPC_NOT_FOUND = -5;

/**
 * Watches the mempool. Every transaction is looked at once, the first time that it is seen: so a transaction that
 * another run of the miner sent, or that a reorg brought back, is found like any other.
 */
export function createMempoolWatch({ rpc, wallet }: { rpc: BitcoinRpc; wallet: PopWallet }): MempoolWatch {
  const seen = new Map<string, MempoolTransaction | 'of others'>();

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
    if (!concerns(wallet, transaction)) {
      seen.set(id, 'of others');
      return;
    }
    const entry = await unlessGone<{ height: number }>(rpc('getmempoolentry', [id], signal));
    if (entry !== undefined) seen.set(id, { transaction, sinceHeight: entry.height });
  }

  return {
    async look(signal) {
      const ids = new Set((await rpc('getrawmempool', [], signal)) as string[]);
      for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id);
      for (const id of ids) if (!seen.has(id)) await meet(id, signal);
      return [...seen.values()].filter((transaction) => transaction !== 'of others');
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
