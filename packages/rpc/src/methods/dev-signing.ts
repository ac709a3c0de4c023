import { estimateGas, nextBaseFee, signTransaction } from '@hemid/hvm';
import { toHex } from '@hemid/protocol';
import { toCallError } from '../call-failure.ts';
import { type CallObject, callObject, readMessage } from '../call-message.ts';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { suggestTip } from '../fee-history.ts';
import { type MethodTable, method } from '../method.ts';
import { address, data } from '../param.ts';
import { hexHash, hexSignature } from '../result/scalar.ts';
import { hashMessage, hashTypedData, typedData } from '../typed-data.ts';
import { developmentOf } from './dev-param.ts';

const unknown = (account: Uint8Array): Error =>
  fail('rpc/not-found', `unknown account ${toHex(account)}: it is neither one of eth_accounts nor impersonated`);

/** r ‖ s ‖ v, v being 27 or 28. @throws `rpc/not-found` for an account whose key nobody has. */
function signDigest(account: Uint8Array, digest: Uint8Array, context: RpcContext): Uint8Array {
  const signature = developmentOf(context).sign(account, digest);
  if (signature === undefined) throw unknown(account);
  return signature.with(64, 27 + (signature[64] ?? 0));
}

function readFees({ gasPrice, maxFeePerGas, maxPriorityFeePerGas }: CallObject, { chain }: RpcContext) {
  if ((gasPrice ?? undefined) !== undefined) return { maxFeePerGas: gasPrice ?? 0n, maxPriorityFeePerGas: gasPrice ?? 0n };
  const tip = maxPriorityFeePerGas ?? suggestTip(chain);
  const cap = maxFeePerGas ?? 2n * nextBaseFee(chain.spec, chain.head('latest').header) + tip;
  return { maxFeePerGas: cap, maxPriorityFeePerGas: maxPriorityFeePerGas ?? (tip < cap ? tip : cap) };
}

async function readGas(call: CallObject, { chain }: RpcContext): Promise<bigint> {
  if ((call.gas ?? undefined) !== undefined) return call.gas ?? 0n;
  const head = chain.head('latest');
  const result = await estimateGas(chain.sandboxAt(head), readMessage(call));
  if ('gas' in result) return result.gas;
  throw toCallError(result.failure);
}

/** Sends with the key of a development account, or in the name of one that is impersonated, or of any if no key is wanted. */
async function send(call: CallObject, { context, key }: { context: RpcContext; key: 'wanted' | 'unwanted' }): Promise<Uint8Array> {
  const development = developmentOf(context);
  const from = call.from ?? development.accounts()[0] ?? new Uint8Array(20);
  const isOwn = development.accounts().some((account) => toHex(account) === toHex(from));
  if (key === 'wanted' && !isOwn && !development.impersonates(from)) throw unknown(from);
  const sent = { ...call, from };
  const message = readMessage(sent);
  const gas = await readGas(sent, context);
  const fees = readFees(call, context);
  if (!isOwn) {
    if ((message.accessList ?? message.authorizations) !== undefined) {
      throw fail('rpc/invalid-params', 'an impersonated account sends neither access lists nor authorizations: leave them out');
    }
    const { to, value, data: input } = message;
    return development.call({ from, to, value, data: input, gas, nonce: call.nonce ?? undefined, ...fees });
  }
  const nonce = call.nonce ?? (await context.pool.nonce(from));
  const { common } = context.chain.sandboxAt(context.chain.head('latest'));
  const terms = { common, nonce, gasLimit: gas, fees };
  return context.pool.submit(signTransaction(message, terms, (digest) => development.sign(from, digest) as Uint8Array));
}

const doc = 'The signature of an account of eth_accounts over a message (EIP-191).';

/** What needs the key of a development account, or none. */
export const devSigning: MethodTable = {
  eth_sendTransaction: method({
    doc: 'Sends a transaction of an account of eth_accounts, or of an impersonated one; gas, fees and nonce are filled in.',
    result: hexHash,
    params: { transaction: callObject },
    handle: ({ transaction }, context) => send(transaction, { context, key: 'wanted' }),
  }),
  eth_sendUnsignedTransaction: method({
    doc: 'The same of any account, as if it were impersonated.',
    result: hexHash,
    params: { transaction: callObject },
    handle: ({ transaction }, context) => send(transaction, { context, key: 'unwanted' }),
  }),
  eth_sign: method({
    doc,
    result: hexSignature,
    params: { address, message: data },
    handle: (values, context) => signDigest(values.address, hashMessage(values.message), context),
  }),
  personal_sign: method({
    doc,
    result: hexSignature,
    params: { message: data, address },
    handle: (values, context) => signDigest(values.address, hashMessage(values.message), context),
  }),
  eth_signTypedData_v4: method({
    doc: 'The signature of an account of eth_accounts over typed data (EIP-712).',
    result: hexSignature,
    params: { address, typedData },
    handle: (values, context) => signDigest(values.address, hashTypedData(values.typedData), context),
  }),
};
