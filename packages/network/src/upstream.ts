import { decodeSealedBlock, fromHex, type SealedBlock, toDisplay, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { JsonRpcCall } from './json-rpc.ts';

/** A node that sealed blocks are fetched from. Nothing it says is believed: its blocks are verified. */
export interface Upstream {
  /** Up to `count` (≤ 64) canonical sealed blocks of the upstream, from a number on; fewer at its head. */
  sealedBlocks(from: bigint, count: number, signal?: AbortSignal): Promise<SealedBlock[]>;
  /** A raw Bitcoin block it has, or `undefined`. */
  bitcoinBlock(hash: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Hands a raw transaction on; @returns its hash. @throws `network/refused` with the upstream's words. */
  sendTransaction(raw: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
}

/** An {@link Upstream} over JSON-RPC. */
export function createUpstream(call: JsonRpcCall): Upstream {
  return {
    async sealedBlocks(from, count, signal) {
      const answer = await call('hemi_getSealedBlocks', [`0x${from.toString(16)}`, count], signal);
      if (!Array.isArray(answer)) throw fail('network/unreachable', 'hemi_getSealedBlocks did not answer with a list');
      return answer.map((hex) => decodeSealedBlock(fromHex(String(hex))));
    },
    async bitcoinBlock(hash, signal) {
      const answer = await call('hemi_getBitcoinBlock', [toDisplay(hash)], signal);
      return answer === null ? undefined : fromHex(String(answer));
    },
    async sendTransaction(raw, signal) {
      return fromHex(String(await call('eth_sendRawTransaction', [toHex(raw)], signal)));
    },
  };
}
