import { isUnspendable, toDigits, toDisplay } from '@hemid/protocol';
import { sum } from './mempool.ts';
import type { Acceptance, Refusal } from './mempool-accept.ts';
import type { RegtestNode } from './regtest-node.ts';
import type { getNode } from './rpc-chain.ts';
import type { RegtestMethod } from './rpc-method.ts';
import { RpcCode, readAmount, readHash, readHex, readInt, readString, refuse } from './rpc-params.ts';
import { toAmount, toEntryShape, toTransactionShape } from './rpc-shape.ts';
import { describe } from './spending.ts';
import { feeAt, RELAY_FEE_RATE } from './standard.ts';
import { type RegtestTransaction, readTransaction, virtualSize } from './transaction.ts';

/** Bitcoin's first transaction. It is in no unspent set. */
const GENESIS_COINBASE = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';

/** Core's default for `maxfeerate`: 0.10 BTC per 1000 vbytes. */
const DEFAULT_MAX_FEE_RATE = '0.10';

function decode(hex: string): RegtestTransaction | undefined {
  const raw = readHex(hex);
  return raw === undefined ? undefined : readTransaction(raw);
}

/** The highest fee rate a caller wants to pay, in sats per 1000 vbytes; 0 means any. */
function readMaxFeeRate(value: unknown): bigint {
  const rate = readAmount(value);
  if (rate >= 100_000_000n) throw refuse(RpcCode.PARAMETER, 'Fee rates larger than or equal to 1BTC/kvB are not accepted');
  return rate;
}

/** Knots and Core judge first and look at the fee then. */
const paysTooMuch = (verdict: Acceptance | Refusal, limitSats: bigint): boolean =>
  'entry' in verdict && limitSats > 0n && verdict.entry.feeSats > limitSats;

async function send(node: RegtestNode, [hex, maxFeeRate = DEFAULT_MAX_FEE_RATE, maxBurn = 0]: unknown[]): Promise<string> {
  const maxBurnSats = readAmount(maxBurn);
  const transaction = decode(String(hex));
  if (transaction === undefined) throw refuse(RpcCode.DESERIALIZATION, 'TX decode failed. Make sure the tx has at least one input.');
  const burnt = transaction.tx.outs.some(({ script, value }) => isUnspendable(script) && value > maxBurnSats);
  if (burnt) throw refuse(RpcCode.VERIFY, 'Unspendable output exceeds maximum configured by user (maxburnamount)');
  const maxFeeSats = feeAt(readMaxFeeRate(maxFeeRate), virtualSize(transaction.weight));
  if (transaction.tx.outs.some((_, vout) => node.isUnspent(transaction.txid, vout))) {
    throw refuse(-27, 'Transaction outputs already in utxo set');
  }
  if (node.mempool.read(transaction.id) !== undefined) return transaction.id;
  const verdict = node.judge(transaction);
  if ('reason' in verdict) throw refuse(verdict.missing === true ? RpcCode.VERIFY : RpcCode.REJECTED, describe(verdict));
  if (paysTooMuch(verdict, maxFeeSats)) {
    throw refuse(RpcCode.VERIFY, 'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)');
  }
  await node.admit(verdict);
  return transaction.id;
}

function test(node: RegtestNode, [list, maxFeeRate = DEFAULT_MAX_FEE_RATE]: unknown[]): unknown {
  const hexes = list as unknown[];
  if (hexes.length < 1 || hexes.length > 25) throw refuse(RpcCode.PARAMETER, 'Array must contain between 1 and 25 transactions.');
  if (hexes.length > 1) throw refuse(RpcCode.PARAMETER, 'the embedded chain tests one transaction at a time');
  const rateLimit = readMaxFeeRate(maxFeeRate);
  return hexes.map((hex) => {
    const transaction = decode(readString(hex));
    if (transaction === undefined) throw refuse(RpcCode.DESERIALIZATION, `TX decode failed: ${String(hex)} Make sure the tx has at least one input.`);
    const verdict = node.judge(transaction);
    const head = { txid: transaction.id, wtxid: toDisplay(transaction.wtxid) };
    if ('reason' in verdict) {
      if (verdict.missing === true) return { ...head, allowed: false, 'reject-reason': 'missing-inputs' };
      return { ...head, allowed: false, 'reject-reason': verdict.reason, 'reject-details': describe(verdict) };
    }
    const vsize = virtualSize(transaction.weight);
    if (paysTooMuch(verdict, feeAt(rateLimit, vsize))) return { ...head, allowed: false, 'reject-reason': 'max-fee-exceeded' };
    const rate = (verdict.entry.feeSats * 1000n) / BigInt(vsize);
    const fees = { base: toAmount(verdict.entry.feeSats), 'effective-feerate': toAmount(rate), 'effective-includes': [head.wtxid] };
    return { ...head, allowed: true, vsize, fees };
  });
}

function rawTransaction(node: RegtestNode, [txid, verbosity = 0, blockhash]: unknown[]): unknown {
  const id = toDisplay(readHash(txid, 'parameter 1'));
  const verbose = typeof verbosity === 'boolean' ? verbosity : readInt(verbosity) > 0;
  if (id === GENESIS_COINBASE) {
    throw refuse(RpcCode.ADDRESS_OR_KEY, 'The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved');
  }
  if (blockhash === undefined) {
    const entry = node.mempool.read(id);
    if (entry === undefined) {
      const advice = 'Use -txindex or provide a block hash to enable blockchain transaction queries';
      throw refuse(RpcCode.ADDRESS_OR_KEY, `No such mempool transaction. ${advice}. Use gettransaction for wallet transactions.`);
    }
    return verbose ? toTransactionShape(entry) : toDigits(entry.raw);
  }
  const { chain } = node;
  const block = getNodeForTransaction(node, blockhash);
  const found = chain.body(block)?.transactions.find((transaction) => transaction.id === id);
  if (found === undefined) {
    throw refuse(RpcCode.ADDRESS_OR_KEY, 'No such transaction found in the provided block. Use gettransaction for wallet transactions.');
  }
  if (!verbose) return toDigits(found.raw);
  const active = chain.isActive(block);
  const place = active
    ? { confirmations: chain.tip().height - block.height + 1, time: block.header.time, blocktime: block.header.time }
    : { confirmations: 0 };
  return { in_active_chain: active, ...toTransactionShape(found), blockhash: block.id, ...place };
}

function getNodeForTransaction({ chain }: RegtestNode, blockhash: unknown): ReturnType<typeof getNode> {
  const node = chain.read(toDisplay(readHash(blockhash, 'parameter 3')));
  if (node === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Block hash not found');
  return node;
}

/** Methods about transactions that wait for a block. */
export const mempoolMethods: Record<string, RegtestMethod> = {
  sendrawtransaction: {
    params: [
      { name: 'hexstring', type: 'string' },
      { name: 'maxfeerate', type: 'any', optional: true },
      { name: 'maxburnamount', type: 'any', optional: true },
    ],
    handle: send,
  },
  testmempoolaccept: {
    params: [
      { name: 'rawtxs', type: 'array' },
      { name: 'maxfeerate', type: 'any', optional: true },
    ],
    handle: test,
  },
  getrawmempool: {
    params: [{ name: 'verbose', type: 'bool', optional: true }],
    handle({ mempool }, [verbose = false]) {
      const entries = [...mempool.all()];
      if (verbose !== true) return entries.map(({ id }) => id);
      return Object.fromEntries(entries.map((entry) => [entry.id, toEntryShape(entry)]));
    },
  },
  getmempoolinfo: {
    params: [],
    handle({ mempool }) {
      const entries = [...mempool.all()];
      const { feeSats, vsize } = sum(entries);
      const relayFee = toAmount(RELAY_FEE_RATE);
      return {
        loaded: true,
        size: entries.length,
        bytes: vsize,
        usage: vsize,
        total_fee: toAmount(feeSats),
        maxmempool: 300_000_000,
        mempoolminfee: relayFee,
        minrelaytxfee: relayFee,
        incrementalrelayfee: relayFee,
        unbroadcastcount: entries.filter(({ unbroadcast }) => unbroadcast).length,
        fullrbf: true,
      };
    },
  },
  getmempoolentry: {
    params: [{ name: 'txid', type: 'string' }],
    handle({ mempool }, [txid]) {
      const entry = mempool.read(toDisplay(readHash(txid, 'parameter 1')));
      if (entry === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Transaction not in mempool');
      return toEntryShape(entry);
    },
  },
  getrawtransaction: {
    params: [
      { name: 'txid', type: 'string' },
      { name: 'verbosity', type: 'any', optional: true },
      { name: 'blockhash', type: 'string', optional: true },
    ],
    handle: rawTransaction,
  },
};
