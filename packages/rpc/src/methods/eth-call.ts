import type { PlacedL2Header } from '@hemid/chain';
import { createAccessList, estimateGas, MAX_TRANSACTION_GAS, type SimulationOptions, simulate } from '@hemid/hvm';
import { isHemidError } from '@hemid/protocol';
import { blockIdOrLatest, getBlockHeader } from '../block-id.ts';
import { toCallError } from '../call-failure.ts';
import { type CallMessage, type CallObject, callObject, toMessage } from '../call-message.ts';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { type MethodTable, method } from '../method.ts';
import { blockOverrides, stateOverrides } from '../override-param.ts';
import { accessListResult } from '../result/call.ts';
import { hexBytes, hexQuantity } from '../result/scalar.ts';

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** What a message meets: a block, and what of it the caller wants to be different. */
interface Place {
  block: PlacedL2Header;
  options: SimulationOptions;
}

/** A message and where it is tried out; fees are judged by the base fee that the caller wants. */
function place(call: CallObject, block: PlacedL2Header, options: SimulationOptions): Place & CallMessage {
  const { message, feeCap } = toMessage(call, options.block?.baseFeePerGas ?? block.header.baseFeePerGas);
  return { block, options, message, feeCap };
}

/** The most gas that may be tried: what is asked for, what a transaction may have, what the sender can pay at its fee cap. */
async function readAllowance({ message, feeCap, block, options }: Place & CallMessage, { chain, limits }: RpcContext): Promise<bigint> {
  const most = least(limits.gasCap, MAX_TRANSACTION_GAS);
  const gas = least(message.gas ?? most, most);
  if (feeCap === 0n || options.state !== undefined) return gas;
  const balance = (await chain.stateAt(block).account(message.from))?.balance ?? 0n;
  if (balance < message.value) throw fail('rpc/execution-failed', 'insufficient funds for transfer');
  return least(gas, (balance - message.value) / feeCap);
}

async function estimate(at: Place & CallMessage, context: RpcContext): Promise<bigint> {
  const gas = await readAllowance(at, context);
  const exceeded = (): Error => fail('rpc/execution-failed', `gas required exceeds allowance (${gas})`);
  try {
    const result = await estimateGas(context.chain.sandboxAt(at.block), { ...at.message, gas }, at.options);
    if ('gas' in result) return result.gas;
    throw result.failure.error === 'out of gas' ? exceeded() : toCallError(result.failure);
  } catch (error) {
    if (isHemidError(error, 'hvm/transaction-invalid') && error.message.startsWith('intrinsic gas too low')) throw exceeded();
    throw error;
  }
}

const params = { call: callObject, block: blockIdOrLatest, stateOverrides: stateOverrides.optional(), blockOverrides: blockOverrides.optional() };

/** Messages tried out on a block's state. */
export const ethCall: MethodTable = {
  eth_call: method({
    doc: 'What a message would return.',
    result: hexBytes,
    params,
    async handle({ call, block, ...overrides }, { chain, limits }) {
      const gasCap = least(limits.gasCap, MAX_TRANSACTION_GAS);
      const at = place(call, getBlockHeader(chain, block), { state: overrides.stateOverrides, block: overrides.blockOverrides, gasCap });
      const result = await simulate(chain.sandboxAt(at.block), at.message, at.options);
      if (!result.succeeded) throw toCallError(result);
      return result.output;
    },
  }),
  eth_estimateGas: method({
    doc: 'The gas limit with which a message would succeed.',
    result: hexQuantity,
    params,
    handle({ call, block, ...overrides }, context) {
      const options = { state: overrides.stateOverrides, block: overrides.blockOverrides };
      return estimate(place(call, getBlockHeader(context.chain, block), options), context);
    },
  }),
  eth_createAccessList: method({
    doc: 'The access list with which a message costs least, and the gas it then takes; `error` says why it failed, if it did.',
    result: accessListResult,
    params: { call: callObject, block: blockIdOrLatest, stateOverrides: stateOverrides.optional() },
    async handle({ call, block, ...overrides }, { chain, limits }) {
      const gasCap = least(limits.gasCap, MAX_TRANSACTION_GAS);
      const at = place(call, getBlockHeader(chain, block), { state: overrides.stateOverrides, gasCap });
      const nonce = (await chain.stateAt(at.block).account(at.message.from))?.nonce ?? 0n;
      const { accessList, result } = await createAccessList(chain.sandboxAt(at.block), at.message, { ...at.options, nonce });
      return {
        accessList: accessList.map(([address, storageKeys]) => ({ address, storageKeys })),
        error: result.succeeded ? undefined : toCallError(result).message,
        gasUsed: result.gasUsed,
      };
    },
  }),
};
