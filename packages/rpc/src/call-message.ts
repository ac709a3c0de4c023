import type { Fees, Message, SimulatedCall } from '@hemid/hvm';
import { equal, toHex, toMinimal } from '@hemid/protocol';
import { z } from 'zod';
import { fail } from './errors.ts';
import { address, data, hash, quantity } from './param.ts';

const MAX_LIST = 1000;

const accessList = z
  .array(z.object({ address, storageKeys: z.array(hash).max(MAX_LIST) }))
  .max(MAX_LIST)
  .transform((list) => list.map(({ address: at, storageKeys }): [Uint8Array, Uint8Array[]] => [at, storageKeys]));

const authorization = z
  .object({ chainId: quantity, address, nonce: quantity, yParity: quantity, r: quantity, s: quantity })
  .transform((one) => [toMinimal(one.chainId), one.address, toMinimal(one.nonce), toMinimal(one.yParity), toMinimal(one.r), toMinimal(one.s)]);

/** The transaction object of `eth_call` and its kin; fields that only a signed transaction needs are ignored. */
export const callObject = z
  .object({
    from: address.nullish(),
    to: address.nullish(),
    gas: quantity.nullish(),
    gasPrice: quantity.nullish(),
    maxFeePerGas: quantity.nullish(),
    maxPriorityFeePerGas: quantity.nullish(),
    maxFeePerBlobGas: quantity.nullish(),
    value: quantity.nullish(),
    nonce: quantity.nullish(),
    data: data.nullish(),
    input: data.nullish(),
    accessList: accessList.nullish(),
    authorizationList: z.array(authorization).min(1).max(MAX_LIST).nullish(),
    blobVersionedHashes: z.array(hash).min(1).max(MAX_LIST).nullish(),
  })
  .refine((call) => !call.data || !call.input || equal(call.data, call.input), {
    message: 'both "data" and "input" are set and not equal; please use "input" to pass transaction call data',
  })
  .refine((call) => (call.gasPrice ?? undefined) === undefined || (call.maxFeePerGas ?? call.maxPriorityFeePerGas ?? undefined) === undefined, {
    message: 'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
  });

export type CallObject = z.output<typeof callObject>;

/** A message with what its sender would pay at most, wei per gas; 0 when it names no fee. */
export interface CallMessage {
  message: Message;
  feeCap: bigint;
}

/** Wei per gas in a block of this base fee, and the cap. */
function readFees(call: CallObject, sender: Uint8Array, baseFee: bigint): { price: bigint; cap: bigint } {
  const tip = call.maxPriorityFeePerGas ?? 0n;
  const cap = call.gasPrice ?? call.maxFeePerGas ?? 0n;
  const who = (): string => `address ${toHex(sender)}, `;
  if (tip > cap) {
    throw fail(
      'rpc/execution-failed',
      `max priority fee per gas higher than max fee per gas: ${who()}maxPriorityFeePerGas: ${tip}, maxFeePerGas: ${cap}`,
    );
  }
  if (cap === 0n) return { price: 0n, cap };
  if (cap < baseFee) {
    throw fail('rpc/execution-failed', `max fee per gas less than block base fee: ${who()}maxFeePerGas: ${cap}, baseFee: ${baseFee}`);
  }
  const price = call.gasPrice ?? (baseFee + tip < cap ? baseFee + tip : cap);
  return { price, cap };
}

/** What a call says without its fees. */
export function readMessage(call: CallObject): Message {
  const hashes = call.blobVersionedHashes ?? undefined;
  return {
    from: call.from ?? new Uint8Array(20),
    to: call.to ?? undefined,
    data: call.input ?? call.data ?? new Uint8Array(),
    value: call.value ?? 0n,
    gas: call.gas ?? undefined,
    gasPrice: undefined,
    accessList: call.accessList ?? undefined,
    authorizations: call.authorizationList ?? undefined,
    blobs: hashes === undefined ? undefined : { hashes, maxFeePerBlobGas: call.maxFeePerBlobGas ?? 0n },
  };
}

/** The message of a call at a base fee (wei per gas); @throws `rpc/execution-failed` for fees that cannot be, in geth's words. */
export function toMessage(call: CallObject, baseFee: bigint | undefined): CallMessage {
  const message = readMessage(call);
  const { price, cap } = readFees(call, message.from, baseFee ?? 0n);
  if (price > 0n) message.gasPrice = price;
  return { message, feeCap: cap };
}

/** The call of a block that is tried out: it keeps the fees that it names. */
export function toSimulatedCall(call: CallObject): SimulatedCall {
  const fees: Fees | undefined =
    (call.gasPrice ?? undefined) === undefined
      ? { maxFeePerGas: call.maxFeePerGas ?? 0n, maxPriorityFeePerGas: call.maxPriorityFeePerGas ?? 0n }
      : { gasPrice: call.gasPrice ?? 0n };
  return { ...readMessage(call), nonce: call.nonce ?? undefined, fees };
}
