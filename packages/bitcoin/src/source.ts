import { type BitcoinNetwork, equal, fromDisplay, type HemidError, isHemidError, sha256d, toDigits, toDisplay } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { BitcoinRpc } from './rpc/bitcoin-rpc.ts';

/** The Bitcoin network, as a node of it shows it. Hashes are in internal order. */
export interface BitcoinSource {
  /** @throws `bitcoin/wrong-network` (fatal) unless the source is on `network`. */
  checkNetwork(network: BitcoinNetwork, signal?: AbortSignal): Promise<void>;
  /** The source's best block. */
  best(signal?: AbortSignal): Promise<{ hash: Uint8Array; height: number }>;
  /** Hash of its best chain at a height, or `undefined` above its tip. */
  hashAt(height: number, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** A raw block it knows, on any branch, or `undefined`. @throws `bitcoin/lie` (retry) when it answers with another one. */
  block(hash: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Whether it knows a block's header, on any branch. */
  knows(hash: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  /** Told that what it answered last is wrong: a source with others behind it goes on with the next one. */
  distrust?(reason: HemidError): void;
  /** How often what happened since the start, for metrics; keys are words with dashes. */
  counters?(): Record<string, number>;
}

const RPC_NOT_FOUND = -5;
const RPC_OUT_OF_RANGE = -8;
/** "Block not available": its body was never downloaded. */
const RPC_MISC = -1;

const CHAIN_NAMES: Record<BitcoinNetwork, string> = { mainnet: 'main', testnet4: 'testnet4', signet: 'signet', regtest: 'regtest' };

/** The answer, or `undefined` when the node refuses with one of these codes. */
async function unless<T>(codes: readonly number[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isHemidError(error, 'bitcoin/rpc') && codes.includes(error.details['rpcCode'] as number)) return undefined;
    throw error;
  }
}

/** A {@link BitcoinSource} over a Bitcoin node's JSON-RPC: bitcoind, or the embedded regtest. */
export function createRpcSource(rpc: BitcoinRpc): BitcoinSource {
  return {
    async checkNetwork(network, signal) {
      const info = (await rpc('getblockchaininfo', [], signal)) as { chain: string };
      if (info.chain === CHAIN_NAMES[network]) return;
      throw fail('bitcoin/wrong-network', `the Bitcoin node is on "${info.chain}", the chain spec wants "${CHAIN_NAMES[network]}"`);
    },
    async best(signal) {
      const info = (await rpc('getblockchaininfo', [], signal)) as { bestblockhash: string; blocks: number };
      return { hash: fromDisplay(info.bestblockhash), height: info.blocks };
    },
    async hashAt(height, signal) {
      const hash = await unless([RPC_OUT_OF_RANGE], rpc('getblockhash', [height], signal));
      return hash === undefined ? undefined : fromDisplay(hash as string);
    },
    async block(hash, signal) {
      const raw = await unless([RPC_NOT_FOUND, RPC_MISC], rpc('getblock', [toDisplay(hash), 0], signal));
      if (raw === undefined) return undefined;
      const bytes = new Uint8Array(Buffer.from(raw as string, 'hex'));
      if (equal(sha256d(bytes.subarray(0, 80)), hash)) return bytes;
      throw fail('bitcoin/lie', `asked for the block ${toDisplay(hash)}, the Bitcoin node answered with another one`);
    },
    async knows(hash, signal) {
      return (await unless([RPC_NOT_FOUND], rpc('getblockheader', [toDisplay(hash), false], signal))) !== undefined;
    },
  };
}

/** Broadcasts a raw transaction; @returns its txid in internal order. */
export async function broadcast(rpc: BitcoinRpc, raw: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
  return fromDisplay((await rpc('sendrawtransaction', [toDigits(raw)], signal)) as string);
}
