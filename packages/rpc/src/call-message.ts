import type { PlacedL2Header } from '@hemid/chain';
import type { Message } from '@hemid/hvm';
import { equal, toHex } from '@hemid/protocol';
import { z } from 'zod';
import { fail } from './errors.ts';
import { address, data, quantity } from './param.ts';

/** The transaction object of `eth_call` and `eth_estimateGas`; fields that only a signed transaction needs are ignored. */
export const callObject = z
  .object({
    from: address.nullish(),
    to: address.nullish(),
    gas: quantity.nullish(),
    gasPrice: quantity.nullish(),
    maxFeePerGas: quantity.nullish(),
    maxPriorityFeePerGas: quantity.nullish(),
    value: quantity.nullish(),
    data: data.nullish(),
    input: data.nullish(),
  })
  .refine((call) => !call.data || !call.input || equal(call.data, call.input), {
    message: 'both "data" and "input" are set and not equal; please use "input" to pass transaction call data',
  })
  .refine((call) => (call.gasPrice ?? undefined) === undefined || (call.maxFeePerGas ?? call.maxPriorityFeePerGas ?? undefined) === undefined, {
    message: 'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
  });

type CallObject = z.output<typeof callObject>;

/** A message with what its sender would pay at most, wei per gas; 0 when it names no fee. */
export interface CallMessage {
  message: Message;
  feeCap: bigint;
}

/** Wei per gas in a block of this base fee, and the cap. */
function readFees(call: CallObject, sender: Uint8Array, baseFee: bigint): { price: bigint; cap: bigint } {
  const tip = call.maxPriorityFeePerGas ?? 0n;
  const cap = call.gasPrice ?? call.maxFeePerGas ?? 0n;
  const who = `address ${toHex(sender)}, `;
  if (tip > cap) {
    throw fail(
      'rpc/execution-failed',
      `max priority fee per gas higher than max fee per gas: ${who}maxPriorityFeePerGas: ${tip}, maxFeePerGas: ${cap}`,
    );
  }
  if (cap === 0n) return { price: 0n, cap };
  if (cap < baseFee) {
    throw fail('rpc/execution-failed', `max fee per gas less than block base fee: ${who}maxFeePerGas: ${cap}, baseFee: ${baseFee}`);
  }
  const price = call.gasPrice ?? (baseFee + tip < cap ? baseFee + tip : cap);
  return { price, cap };
}

/** The message of a call on a block's state; @throws `rpc/execution-failed` for fees that cannot be, in geth's words. */
export function toMessage(call: CallObject, { header }: PlacedL2Header): CallMessage {
  const from = call.from ?? new Uint8Array(20);
  const { price, cap } = readFees(call, from, header.baseFeePerGas);
  const message = {
    from,
    to: call.to ?? undefined,
    data: call.input ?? call.data ?? new Uint8Array(),
    value: call.value ?? 0n,
    gas: call.gas ?? undefined,
    gasPrice: price === 0n ? undefined : price,
  };
  return { message, feeCap: cap };
}
