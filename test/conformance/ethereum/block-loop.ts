import { type Block, createBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { Account, Address } from '@ethereumjs/util';
import { createVM, type RunTxOpts, runTx, type VM } from '@ethereumjs/vm';
import { type FlatState, type InlineResult, listRoot } from '@hemid/hvm';
import { bloomOf, encodeConsensusReceipt, type Receipt, toHex } from '@hemid/protocol';
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
}

/** The header as the EVM's environment. */
function toEvmBlock(header: Header, common: Common): Block {
  const { beneficiary, ommersHash, transactionsRoot, receiptsRoot, ...rest } = header;
  const named = { coinbase: beneficiary, uncleHash: ommersHash, transactionsTrie: transactionsRoot, receiptTrie: receiptsRoot };
  return createBlock({ header: { ...rest, ...named } as never }, { common, skipConsensusFormatValidation: true });
}

interface Executed {
  receipts: Receipt[];
  gasUsed: bigint;
  blobGasUsed: bigint;
}

async function runInVm(vm: VM, options: RunTxOpts): Promise<InlineResult> {
  const { totalGasSpent, execResult, receipt } = await runTx(vm, options);
  const logs = receipt.logs.map(([address, topics, data]) => ({ address, topics, data }));
  return { succeeded: execResult.exceptionError === undefined, gasUsed: totalGasSpent, logs };
}

async function runTransactions(vm: VM, state: FlatState, evmBlock: Block, block: EthereumBlock): Promise<Executed> {
  const receipts: Receipt[] = [];
  let gasUsed = 0n;
  let blobGasUsed = 0n;
  for (const raw of block.transactions) {
    const tx = decodeTransaction(raw, vm.common);
    if (gasUsed + tx.gasLimit > block.header.gasLimit) throw refuse('a transaction wants more gas than the block has left');
    if ('blobVersionedHashes' in tx) blobGasUsed += GAS_PER_BLOB * BigInt(tx.blobVersionedHashes.length);
    const inline = runAsInline(vm, { tx, state, header: evmBlock.header });
    const result = inline ?? (await runInVm(vm, { tx, block: evmBlock, skipHardForkValidation: true, blockGasUsed: gasUsed }));
    gasUsed += result.gasUsed;
    receipts.push({ ...result, type: tx.type, cumulativeGasUsed: gasUsed, nonce: tx.nonce, effectiveGasPrice: 0n });
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

async function payOut(state: FlatState, block: EthereumBlock, isMerged: boolean): Promise<void> {
  for (const { address, gwei } of block.withdrawals ?? []) await credit(state, address, gwei * WEI_PER_GWEI);
  if (!isMerged) for (const { address, wei } of rewardsOf(block)) await credit(state, address, wei);
}

function expectHeader(header: Header, made: Partial<Header>): void {
  const show = (value: Uint8Array | bigint | undefined): string => (value instanceof Uint8Array ? toHex(value) : String(value));
  for (const [name, value] of Object.entries(made)) {
    const stated = header[name as keyof Header];
    if (show(stated) !== show(value)) throw refuse(`${name} is ${show(value)}, the header says ${show(stated)}`);
  }
}

/** Executes a block, whose header has been checked, on `context.world`; what differs from its header is refused. */
export async function executeBlock(block: EthereumBlock, context: BlockContext): Promise<void> {
  const { rules, world } = context;
  const { header } = block;
  const state = world.open(rules);
  const blockchain = {
    getBlock: async (number: number) => ({ hash: () => context.ancestorHash(BigInt(number)) }),
    putBlock: async () => {},
    shallowCopy: () => blockchain,
  };
  const vm = await createVM({ common: rules, stateManager: state, blockchain: blockchain as never });
  const evmBlock = toEvmBlock(header, rules);

  await openWithSystemCalls(vm, evmBlock, header);
  const { receipts, gasUsed, blobGasUsed } = await runTransactions(vm, state, evmBlock, block);
  await payOut(state, block, rules.consensusType() === 'pos');
  const requestsHash = rules.isActivatedEIP(7685) ? await requestsHashOf(vm, evmBlock, receipts) : undefined;

  expectHeader(header, {
    gasUsed,
    transactionsRoot: listRoot(block.transactions),
    receiptsRoot: listRoot(receipts.map(encodeConsensusReceipt)),
    logsBloom: bloomOf(receipts.flatMap((receipt) => receipt.logs)),
    ...(block.withdrawals === undefined ? {} : { withdrawalsRoot: listRoot(block.withdrawals.map(({ raw }) => raw)) }),
    ...(header.blobGasUsed === undefined ? {} : { blobGasUsed }),
    ...(requestsHash === undefined ? {} : { requestsHash }),
    stateRoot: await world.commit(state),
  });
}
