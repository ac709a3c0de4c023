import type { PlacedL2Header } from '@hemid/chain';
import { MAX_TRANSACTION_GAS } from '@hemid/hvm';
import { isHemidError } from '@hemid/protocol';
import { z } from 'zod';
import { blockIdOrLatest, getBlockHeader } from '../block-id.ts';
import { toCallError } from '../call-failure.ts';
import { type CallMessage, callObject, toMessage } from '../call-message.ts';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { type MethodTable, method } from '../method.ts';

/** Not offered yet: an answer that ignored them would be a wrong answer. */
const noOverrides = z.undefined('state and block overrides are not supported');

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The most gas that may be tried: what is asked for, what a transaction may have, what the sender can pay at its fee cap. */
async function readAllowance({ message, feeCap }: CallMessage, block: PlacedL2Header, { chain }: RpcContext): Promise<bigint> {
  const gas = least(message.gas ?? MAX_TRANSACTION_GAS, MAX_TRANSACTION_GAS);
  if (feeCap === 0n) return gas;
  const balance = (await chain.stateAt(block).account(message.from))?.balance ?? 0n;
  if (balance < message.value) throw fail('rpc/execution-failed', 'insufficient funds for transfer');
  return least(gas, (balance - message.value) / feeCap);
}

async function estimate(call: CallMessage, block: PlacedL2Header, context: RpcContext): Promise<bigint> {
  const gas = await readAllowance(call, block, context);
  const exceeded = (): Error => fail('rpc/execution-failed', `gas required exceeds allowance (${gas})`);
  try {
    const result = await context.chain.estimateGas(block, { ...call.message, gas });
    if ('gas' in result) return result.gas;
    throw result.failure.error === 'out of gas' ? exceeded() : toCallError(result.failure);
  } catch (error) {
    if (isHemidError(error, 'hvm/transaction-invalid') && error.message.startsWith('intrinsic gas too low')) throw exceeded();
    throw error;
  }
}

/** Messages tried out on a block's state. */
export const ethCall: MethodTable = {
  eth_call: method({
    doc: 'What a message would return.',
    params: { call: callObject, block: blockIdOrLatest, stateOverrides: noOverrides, blockOverrides: noOverrides },
    async handle({ call, block }, { chain }) {
      const placed = getBlockHeader(chain, block);
      const result = await chain.simulate(placed, toMessage(call, placed).message);
      if (!result.succeeded) throw toCallError(result);
      return result.output;
    },
  }),
  eth_estimateGas: method({
    doc: 'The gas limit with which a message would succeed.',
    params: { call: callObject, block: blockIdOrLatest, stateOverrides: noOverrides, blockOverrides: noOverrides },
    handle({ call, block }, context) {
      const placed = getBlockHeader(context.chain, block);
      return estimate(toMessage(call, placed), placed, context);
    },
  }),
};
