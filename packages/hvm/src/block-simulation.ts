import type { TypedTransaction } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import {
  bloomOf,
  EMPTY_OMMERS_HASH,
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  encodeConsensusReceipt,
  hashHeader,
  type L2Header,
  type Log,
  type Receipt,
  toHex,
} from '@hemid/protocol';
import { nextBaseFee } from './base-fee.ts';
import { withBlobBaseFee } from './blob-base-fee.ts';
import { toEvmBlock } from './block-opening.ts';
import { placeBlocks } from './block-placement.ts';
import { fail } from './errors.ts';
import { type Fees, type Message, runMessage, toTransaction } from './message.ts';
import { observe } from './observation.ts';
import { type AccountOverride, applyOverrides } from './override.ts';
import type { Sandbox, SandboxBlock } from './sandbox.ts';
import type { BlockOverride, SimulationResult } from './simulation.ts';
import { commitState } from './state/commit-state.ts';
import { type FlatState, openFlatState } from './state/flat-state.ts';
import { keccak } from './state/keccak.ts';
import { createTransferLogs } from './transfer-log.ts';
import { listRoot } from './trie-root.ts';
import { effectiveGasPrice, feeCap, tipCap, type UserTransaction } from './user-transaction.ts';

/** A call of a block that is tried out. */
export interface SimulatedCall extends Message {
  nonce: bigint | undefined;
  /** Nothing is paid when left out. */
  fees: Fees | undefined;
}

/** A block that is tried out: what is different in it, and its calls. */
export interface BlockRequest {
  block: BlockOverride & { beaconRoot?: Uint8Array | undefined };
  state: readonly AccountOverride[];
  calls: readonly SimulatedCall[];
}

/** What to try out. */
export interface BlocksRequest {
  blocks: readonly BlockRequest[];
  /** Whether nonces and base fees count. */
  validates: boolean;
  /** Whether transfers of the coin are logged. */
  logsTransfers: boolean;
  /** Gas that all calls together may take. */
  gasCap: bigint;
  /** Lets other work have its turn between calls; what it throws ends everything. */
  pause(): Promise<void>;
}

/** What became of a call. */
export interface CallOutcome extends SimulationResult {
  /** The most gas in use, before refunds. */
  maxUsedGas: bigint;
}

/** A block that was tried out. */
export interface SimulatedBlock {
  header: L2Header;
  hash: Uint8Array;
  transactions: UserTransaction[];
  receipts: Receipt[];
  calls: CallOutcome[];
}

const CODES = { nonceTooLow: -38010, nonceTooHigh: -38011, feeTooLow: -38012, gasTooLow: -38013, funds: -38014, blockGas: -38015 };
const GAS_PER_BLOB = 131_072n;

const refuse = (code: number, message: string): Error => fail('hvm/simulation-invalid', message, { details: { code } });

/** What runs while a request is carried out. */
interface Run {
  sandbox: Sandbox;
  request: BlocksRequest;
  state: FlatState;
  gasLeft: bigint;
  /** Blocks that were tried out so far. */
  done: SimulatedBlock[];
}

/** The header of a block before it runs: what a caller left open goes on from the block before. */
function openHeader({ sandbox, request, done }: Run, { block }: BlockRequest): L2Header {
  const parent = done.at(-1) ?? sandbox;
  const { blobBaseFee: _, beaconRoot, ...fields } = block;
  return {
    parentHash: parent.hash,
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: fields.beneficiary ?? parent.header.beneficiary,
    stateRoot: parent.header.stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number: fields.number ?? parent.header.number + 1n,
    gasLimit: fields.gasLimit ?? parent.header.gasLimit,
    gasUsed: 0n,
    timestamp: fields.timestamp ?? parent.header.timestamp + 1n,
    extraData: new Uint8Array(),
    mixHash: fields.mixHash ?? new Uint8Array(32),
    nonce: new Uint8Array(8),
    // A call that names no fee could not be tried out above a base fee of zero.
    baseFeePerGas: fields.baseFeePerGas ?? (request.validates ? nextBaseFee(sandbox.spec, parent.header) : 0n),
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: beaconRoot ?? new Uint8Array(32),
    requestsHash: EMPTY_REQUESTS_HASH,
  };
}

function openVm({ sandbox, state, done }: Run): Promise<VM> {
  return sandbox.openVm(state, (number) => {
    if (number < sandbox.header.number) return sandbox.ancestorHash(number);
    return number === sandbox.header.number ? sandbox.hash : done.find(({ header }) => header.number === number)?.hash;
  });
}

/** The transaction that a call is in its block. */
async function toBlockTransaction(run: Run, call: SimulatedCall, left: bigint): Promise<UserTransaction> {
  const account = await run.state.getAccount(new Address(call.from));
  const gas = call.gas ?? left;
  if (gas > left) throw refuse(CODES.blockGas, `block gas limit reached: ${gas} wanted, ${left} left`);
  const tx = toTransaction(call, {
    common: run.sandbox.common,
    nonce: call.nonce ?? account?.nonce ?? 0n,
    gasLimit: gas < run.gasLeft ? gas : run.gasLeft,
    fees: call.fees ?? { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
  });
  const raw = tx.serialize();
  return { raw, hash: keccak(raw), sender: call.from, tx };
}

function blobFee({ tx }: UserTransaction): { gas: bigint; cost: bigint } {
  if (!('blobVersionedHashes' in tx)) return { gas: 0n, cost: 0n };
  const gas = GAS_PER_BLOB * BigInt(tx.blobVersionedHashes.length);
  return { gas, cost: gas * tx.maxFeePerBlobGas };
}

/** @throws `hvm/simulation-invalid` for a call that no block could hold. */
async function checkCall(run: Run, transaction: UserTransaction, { baseFeePerGas }: L2Header): Promise<void> {
  const { tx, sender } = transaction;
  const account = await run.state.getAccount(new Address(sender));
  const { nonce = 0n, balance = 0n } = account ?? {};
  const who = `address ${toHex(sender)}`;
  if (run.request.validates && tx.nonce !== nonce) {
    const isLow = tx.nonce < nonce;
    throw refuse(isLow ? CODES.nonceTooLow : CODES.nonceTooHigh, `nonce too ${isLow ? 'low' : 'high'}: ${who}, tx: ${tx.nonce} state: ${nonce}`);
  }
  const isFree = feeCap(tx) === 0n && tipCap(tx) === 0n && !run.request.validates;
  if (!isFree && feeCap(tx) < baseFeePerGas) {
    throw refuse(CODES.feeTooLow, `max fee per gas less than block base fee: ${who}, maxFeePerGas: ${feeCap(tx)}, baseFee: ${baseFeePerGas}`);
  }
  const cost = tx.value + tx.gasLimit * feeCap(tx) + blobFee(transaction).cost;
  if (balance < cost) throw refuse(CODES.funds, `insufficient funds for gas * price + value: ${who} have ${balance} want ${cost}`);
  const intrinsic = tx.getIntrinsicGas();
  if (tx.gasLimit < intrinsic) throw refuse(CODES.gasTooLow, `intrinsic gas too low: have ${tx.gasLimit}, want ${intrinsic}`);
}

/** A free call runs as if there was no base fee. */
function environmentOf({ tx }: UserTransaction, { header, evmBlock }: SandboxBlock, blobBaseFee: bigint | undefined): SandboxBlock['evmBlock'] {
  const block = feeCap(tx) === 0n && header.baseFeePerGas > 0n ? toEvmBlock({ ...header, baseFeePerGas: 0n }, evmBlock.common) : evmBlock;
  return withBlobBaseFee(block, blobBaseFee);
}

interface CallRun {
  outcome: CallOutcome;
  /** Logs of the chain itself, as the receipt has them. */
  logs: Log[];
}

async function runCall(run: Run, { tx }: { tx: TypedTransaction }, { vm, evmBlock }: Pick<SandboxBlock, 'vm' | 'evmBlock'>): Promise<CallRun> {
  const transfers = run.request.logsTransfers ? createTransferLogs(run.state) : undefined;
  const stop = transfers === undefined ? undefined : observe(vm, transfers);
  const { execResult, totalGasSpent } = await runMessage(vm, tx, { block: evmBlock, blockGasUsed: 0n });
  stop?.();
  const logs = (execResult.logs ?? []).map(([address, topics, data]) => ({ address, topics, data }));
  const error = execResult.exceptionError?.error as string | undefined;
  const before = tx.getIntrinsicGas() + execResult.executionGasUsed;
  const outcome = {
    succeeded: error === undefined,
    reverted: error === 'revert',
    error,
    output: execResult.returnValue,
    gasUsed: totalGasSpent,
    maxUsedGas: before > totalGasSpent ? before : totalGasSpent,
    logs: transfers?.logs() ?? logs,
  };
  return { outcome, logs };
}

async function runBlock(run: Run, request: BlockRequest): Promise<SimulatedBlock> {
  const { sandbox, state } = run;
  const header = openHeader(run, request);
  const vm = await openVm(run);
  const block: SandboxBlock = { header, vm, evmBlock: toEvmBlock(header, sandbox.common) };
  await applyOverrides(vm, state, request.state);
  await sandbox.begin(state, block);
  const [transactions, receipts, calls]: [UserTransaction[], Receipt[], CallOutcome[]] = [[], [], []];
  const sums = { gas: 0n, blobGas: 0n, baseFees: 0n };
  for (const call of request.calls) {
    await run.request.pause();
    const transaction = await toBlockTransaction(run, call, header.gasLimit - sums.gas);
    const { tx } = transaction;
    await checkCall(run, transaction, header);
    const evmBlock = environmentOf(transaction, block, request.block.blobBaseFee);
    const { outcome, logs } = await runCall(run, transaction, { vm, evmBlock });
    sums.gas += outcome.gasUsed;
    sums.blobGas += blobFee(transaction).gas;
    sums.baseFees += outcome.gasUsed * (feeCap(tx) === 0n ? 0n : header.baseFeePerGas);
    run.gasLeft -= outcome.gasUsed;
    const { type, nonce } = tx;
    const effective = feeCap(tx) === 0n ? 0n : effectiveGasPrice(tx, header.baseFeePerGas);
    const { succeeded, gasUsed } = outcome;
    receipts.push({ type, succeeded, gasUsed, cumulativeGasUsed: sums.gas, logs, nonce, effectiveGasPrice: effective });
    transactions.push(transaction);
    calls.push(outcome);
  }
  const { requestsHash } = await sandbox.end(state, block, { receipts, baseFees: sums.baseFees });
  const { root } = await commitState(state, sandbox.base());
  const complete: L2Header = {
    ...header,
    stateRoot: root,
    transactionsRoot: listRoot(transactions.map(({ raw }) => raw)),
    receiptsRoot: listRoot(receipts.map(encodeConsensusReceipt)),
    logsBloom: bloomOf(receipts.flatMap(({ logs }) => logs)),
    gasUsed: sums.gas,
    blobGasUsed: sums.blobGas,
    requestsHash,
  };
  return { header: complete, hash: hashHeader(complete), transactions, receipts, calls };
}

/**
 * Tries out blocks that follow one another on the state of a block (eth_simulateV1); nothing is kept.
 *
 * @throws `hvm/simulation-invalid` when a call could not stand in its block, `hvm/override`, `hvm/transaction-invalid`.
 */
export async function simulateBlocks(sandbox: Sandbox, request: BlocksRequest): Promise<SimulatedBlock[]> {
  const placed = placeBlocks(sandbox.header, request.blocks);
  const run: Run = { sandbox, request, state: openFlatState(sandbox.common, sandbox.base()), gasLeft: request.gasCap, done: [] };
  for (const block of placed) run.done.push(await runBlock(run, block));
  return run.done;
}
