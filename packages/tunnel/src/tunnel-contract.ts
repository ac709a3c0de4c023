import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import {
  type AbiFunction,
  type AbiType,
  type AbiValue,
  abiFunction,
  decodeAbi,
  displayBytes,
  fromBigEndian,
  TUNNEL_ADDRESS,
  TUNNEL_SUMS_SLOT,
  type TunnelSums,
  toTunnelSums,
} from '@hemid/protocol';
import { fail } from './errors.ts';

/** Somebody's request to be paid in Bitcoin, as Tunnel keeps it. */
export interface WithdrawalRequest {
  id: bigint;
  /** Taken on L2; the output pays this less `feeSats`. */
  sats: bigint;
  feeSats: bigint;
  /** L2 block that holds the request. */
  blockNumber: bigint;
  script: Uint8Array;
}

/** The predeploy Tunnel after one L2 block. */
export interface TunnelContract {
  sums(): Promise<TunnelSums>;
  /** The request to be settled next; the id of the next one when none is open. */
  lowestOpenId(): Promise<bigint>;
  /** Whether a breach stands that is not cleared. */
  isBreached(): Promise<boolean>;
  request(id: bigint): Promise<WithdrawalRequest>;
  /** The Bitcoin transaction (internal order) that settled the requests from `firstId` on, if it was a batch's first. */
  settledBy(firstId: bigint): Promise<Uint8Array | undefined>;
}

const lowestOpenId = abiFunction('lowestOpenId()', []);
const breached = abiFunction('breached()', []);
const request = abiFunction('request(uint64)', ['uint']);
const batches = abiFunction('batches(uint64)', ['uint']);

/** Reads Tunnel in the state after a block. Everything throws `tunnel/contract` when the contract there does not answer. */
export function readTunnelAt(chain: ChainReader, block: PlacedL2Header): TunnelContract {
  async function call(callee: AbiFunction, values: readonly AbiValue[] = []): Promise<Uint8Array> {
    const data = callee.encode(values);
    const message = { from: new Uint8Array(20), to: TUNNEL_ADDRESS, data, value: 0n, gas: undefined, gasPrice: undefined };
    const { succeeded, output, error } = await chain.simulate(block, message);
    if (succeeded && output.length > 0) return output;
    throw fail('tunnel/contract', `Tunnel does not answer in block ${block.header.number}: ${error ?? 'no output'}`);
  }
  const word = async (callee: AbiFunction, type: AbiType): Promise<AbiValue> => decodeAbi([type], await call(callee))[0] as AbiValue;

  return {
    sums: async () => toTunnelSums(await chain.stateAt(block).storage(TUNNEL_ADDRESS, TUNNEL_SUMS_SLOT)),
    lowestOpenId: async () => (await word(lowestOpenId, 'uint')) as bigint,
    isBreached: async () => (await word(breached, 'uint')) === 1n,
    async request(id) {
      // A struct with a dynamic field stands behind its offset, which is always 32.
      const [sats, feeSats, blockNumber, script] = decodeAbi(['uint', 'uint', 'uint', 'bytes'], (await call(request, [id])).subarray(32));
      return { id, sats: sats as bigint, feeSats: feeSats as bigint, blockNumber: blockNumber as bigint, script: script as Uint8Array };
    },
    async settledBy(firstId) {
      const txid = decodeAbi(['bytes32', 'bytes32'], await call(batches, [firstId]))[1] as Uint8Array;
      return fromBigEndian(txid) === 0n ? undefined : displayBytes(txid);
    },
  };
}
