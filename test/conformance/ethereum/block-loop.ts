import { type Block, createBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { RLP } from '@ethereumjs/rlp';
import { Account, Address } from '@ethereumjs/util';
import { createVM, type RunTxOpts, runTx, type VM } from '@ethereumjs/vm';
import {
  creationOpcodes,
  effectiveGasPrice,
  type FlatState,
  listRoot,
  observe,
  type ReplayedResult,
  type ReplayOptions,
  type Watch,
} from '@hemid/hvm';
import { bloomOf, encodeConsensusReceipt, type Receipt, toHex, toMinimal } from '@hemid/protocol';
import { GAS_PER_BLOB } from './blob-gas.ts';
import type { EthereumBlock } from './block.ts';
import type { Header } from './header.ts';
import { runAsInline } from './inline.ts';
import { rewardsOf } from './proof-of-work.ts';
import { refuse } from './refusal.ts';
import { requestsHashOf } from './requests.ts';
import { openWithSystemCalls } from './system-call.ts';
import { decodeTransaction } from './transaction.ts';
import type { World } from './world.ts';

const WEI_PER_GWEI = 10n ** 9n;

/** What a block executes on. */
export interface BlockContext {
  rules: Common;
  /** The parent's state, for this block alone to change. */
  world: World;
  /** Hash of an ancestor, for BLOCKHASH. */
  ancestorHash(number: bigint): Uint8Array;
  /** Watches the transactions. */
  watch?: ReplayOptions['watch'];
}

/** The header as the EVM's environment. */
function toEvmBlock(header: Header, common: Common): Block {
  const { beneficiary, ommersHash, transactionsRoot, receiptsRoot, ...rest } = header;
  const named = { coinbase: beneficiary, uncleHash: ommersHash, transactionsTrie: transactionsRoot, receiptTrie: receiptsRoot };
  return createBlock({ header: { ...rest, ...named } as never }, { common, skipConsensusFormatValidation: true });
}

/** What a transaction left behind; before Byzantium the root after it instead of a status. */
export interface EthereumReceipt extends Receipt {
  root?: Uint8Array;
  /** As the receipts root commits to it. */
  encoded: Uint8Array;
}

interface Executed {
  receipts: EthereumReceipt[];
  gasUsed: bigint;
  blobGasUsed: bigint;
}

async function runInVm(vm: VM, options: RunTxOpts): Promise<ReplayedResult> {
  const { totalGasSpent, execResult, receipt } = await runTx(vm, options);
  const logs = receipt.logs.map(([address, topics, data]) => ({ address, topics, data }));
  const error = execResult.exceptionError?.error as string | undefined;
  return { succeeded: error === undefined, gasUsed: totalGasSpent, logs, error, output: execResult.returnValue };
}

/** Runs a transaction in the VM, watched. */
async function runWatched(vm: VM, options: RunTxOpts, watch: Watch): Promise<ReplayedResult> {
  const stop = observe(vm, watch.observer);
  const result = await runInVm(vm, options);
  stop();
  await watch.done(result);
  return result;
}

function encode(receipt: Omit<EthereumReceipt, 'encoded'>): EthereumReceipt {
  const { root, cumulativeGasUsed, logs } = receipt;
  if (root === undefined) return { ...receipt, encoded: encodeConsensusReceipt(receipt) };
  const items = [root, toMinimal(cumulativeGasUsed), bloomOf(logs), logs.map(({ address, topics, data }) => [address, topics, data])];
  return { ...receipt, encoded: RLP.encode(items as never) };
}

async function runTransactions(run: { vm: VM; state: FlatState; evmBlock: Block }, block: EthereumBlock, context: BlockContext): Promise<Executed> {
  const { vm, state, evmBlock } = run;
  const receipts: EthereumReceipt[] = [];
  let gasUsed = 0n;
  let blobGasUsed = 0n;
  for (const [index, raw] of block.transactions.entries()) {
    const tx = decodeTransaction(raw, vm.common);
    if (gasUsed + tx.gasLimit > block.header.gasLimit) throw refuse('a transaction wants more gas than the block has left');
    if ('blobVersionedHashes' in tx) blobGasUsed += GAS_PER_BLOB * BigInt(tx.blobVersionedHashes.length);
    const options = { tx, block: evmBlock, skipHardForkValidation: true, blockGasUsed: gasUsed };
    const watch = await context.watch?.({ index, raw, from: tx.getSenderAddress().bytes, to: tx.to?.bytes, gasLimit: tx.gasLimit, state });
    const inline =
      context.watch === undefined && vm.common.gteHardfork('berlin') ? await runAsInline(vm, { tx, state, header: evmBlock.header }) : undefined;
    const result = watch === undefined ? (inline ?? (await runInVm(vm, options))) : await runWatched(vm, options, watch);
    gasUsed += result.gasUsed;
    const root = vm.common.gteHardfork('byzantium') ? {} : { root: await context.world.rootOf(state) };
    const price = effectiveGasPrice(tx, block.header.baseFeePerGas ?? 0n);
    receipts.push(encode({ ...result, ...root, type: tx.type, cumulativeGasUsed: gasUsed, nonce: tx.nonce, effectiveGasPrice: price }));
  }
  return { receipts, gasUsed, blobGasUsed };
}

/** Adds ether; an account that is empty even then is gone (EIP-161). */
async function credit(state: FlatState, address: Uint8Array, wei: bigint): Promise<void> {
  const at = new Address(address);
  const account = await state.getAccount(at);
  const next = account ?? new Account();
  next.balance += wei;
  if (!next.isEmpty()) await state.putAccount(at, next);
  else if (account !== undefined) await state.deleteAccount(at);
}

async function payOut(state: FlatState, block: EthereumBlock, rules: Common): Promise<void> {
  for (const { address, gwei } of block.withdrawals ?? []) await credit(state, address, gwei * WEI_PER_GWEI);
  if (rules.consensusType() === 'pos') return;
  for (const { address, wei } of rewardsOf(block, rules.param('minerReward'))) await credit(state, address, wei);
}

function expectHeader(header: Header, made: Partial<Header>): void {
  const show = (value: Uint8Array | bigint | undefined): string => (value instanceof Uint8Array ? toHex(value) : String(value));
  for (const [name, value] of Object.entries(made)) {
    const stated = header[name as keyof Header];
    if (show(stated) !== show(value)) throw refuse(`${name} is ${show(value)}, the header says ${show(stated)}`);
  }
}

/** A VM of plain Ethereum over a state. */
export function openEthereumVm(rules: Common, state: FlatState, ancestorHash: (number: bigint) => Uint8Array | undefined): Promise<VM> {
  const blockchain = {
    getBlock: async (number: number) => ({ hash: () => ancestorHash(BigInt(number)) ?? new Uint8Array(32) }),
    putBlock: async () => {},
    shallowCopy: () => blockchain,
  };
  return createVM({ common: rules, stateManager: state, blockchain: blockchain as never, evmOpts: { customOpcodes: creationOpcodes(rules) } });
}

/** What a block's execution makes of its header. */
export interface MadeBlock {
  receipts: EthereumReceipt[];
  made: Partial<Header>;
}

/** Executes a block on `context.world` and says what its header must then state. */
export async function runBlock(block: EthereumBlock, context: BlockContext): Promise<MadeBlock> {
  const { rules, world } = context;
  const { header } = block;
  const state = world.open(rules);
  const vm = await openEthereumVm(rules, state, context.ancestorHash);
  const evmBlock = toEvmBlock(header, rules);

  await openWithSystemCalls(vm, evmBlock, header);
  const { receipts, gasUsed, blobGasUsed } = await runTransactions({ vm, state, evmBlock }, block, context);
  await payOut(state, block, rules);
  const requestsHash = rules.isActivatedEIP(7685) ? await requestsHashOf(vm, evmBlock, receipts) : undefined;
  const made = {
    gasUsed,
    transactionsRoot: listRoot(block.transactions),
    receiptsRoot: listRoot(receipts.map(({ encoded }) => encoded)),
    logsBloom: bloomOf(receipts.flatMap((receipt) => receipt.logs)),
    ...(block.withdrawals === undefined ? {} : { withdrawalsRoot: listRoot(block.withdrawals.map(({ raw }) => raw)) }),
    ...(header.blobGasUsed === undefined ? {} : { blobGasUsed }),
    ...(requestsHash === undefined ? {} : { requestsHash }),
    stateRoot: await world.commit(state),
  };
  return { receipts, made };
}

/** Executes a block, whose header has been checked, on `context.world`; what differs from its header is refused. */
export async function executeBlock(block: EthereumBlock, context: BlockContext): Promise<EthereumReceipt[]> {
  const { receipts, made } = await runBlock(block, context);
  expectHeader(block.header, made);
  return receipts;
}
