import type { Common } from '@ethereumjs/common';
import type { TypedTransaction } from '@ethereumjs/tx';
import { Account, equalsBytes, KECCAK256_NULL } from '@ethereumjs/util';
import type { Log } from '@hemid/protocol';
import type { FlatState } from '../state/flat-state.ts';
import { latin } from '../state/key.ts';
import { effectiveGasPrice, gasOfData, maximumCost } from '../user-transaction.ts';
import { enterableCode, runCall, runCode } from './call.ts';
import { type Environment, FOREIGN_OPCODE, type Machine } from './machine.ts';
import { HOT } from './region.ts';
import { createTransactionState, type ReadableState, type TransactionState } from './transaction-state.ts';
import { addressWord, minimalBytes, toWord, wordLatin } from './words.ts';

/** The block that a transaction is executed in. */
export interface InlineBlock {
  /** 20 bytes. */
  coinbase: Uint8Array;
  timestamp: bigint;
  number: bigint;
  /** 32 bytes. */
  prevRandao: Uint8Array;
  gasLimit: bigint;
  baseFeePerGas: bigint;
}

/** Where transactions are executed: one block on one state. */
export interface InlineContext {
  state: FlatState;
  common: Common;
  block: InlineBlock;
  /** Whether an address is that of a precompile, latin1. */
  isPrecompile(address: string): boolean;
  /** After how many visits code is compiled, for those who test it; {@link HOT} when not given. */
  hotAt?: number | undefined;
}

/** Executes a transaction; `undefined` for one that is left to runTx, valid or not. */
export type InlineRunner = (tx: TypedTransaction, sender: Uint8Array) => InlineResult | undefined;

/** What executing a transaction gave. */
export interface InlineResult {
  succeeded: boolean;
  gasUsed: bigint;
  logs: Log[];
}

const hasCode = (account: Readonly<Account> | undefined): boolean => account !== undefined && !equalsBytes(account.codeHash, KECCAK256_NULL);

/** What frames see of their block, alike in all of its transactions; sender and price are still to come. */
export function environmentOf({ block, common, isPrecompile }: Omit<InlineContext, 'state'>): Environment {
  return {
    origin: 0n,
    gasPrice: 0n,
    coinbase: toWord(block.coinbase),
    timestamp: block.timestamp,
    number: block.number,
    prevRandao: toWord(block.prevRandao),
    gasLimit: block.gasLimit,
    chainId: common.chainId(),
    baseFee: block.baseFeePerGas,
    isPrecompile,
  };
}

/** The machine of a block; `state` is only read. */
export function createMachine(context: Omit<InlineContext, 'state'> & { state: ReadableState }): Machine {
  const machine: Machine = {
    state: createTransactionState(context.state),
    environment: environmentOf(context),
    hotAt: context.hotAt ?? HOT,
    call: (opcode, frame, top) => runCall(opcode, frame, machine, top),
  };
  return machine;
}

/** Begins a transaction: its sender, its price, the addresses that are warm (EIP-2929, EIP-3651). */
export function beginTransaction(machine: Machine, { sender, gasPrice, warm }: { sender: string; gasPrice: bigint; warm: readonly string[] }): void {
  machine.environment.origin = addressWord(sender);
  machine.environment.gasPrice = gasPrice;
  machine.state.begin(warm);
}

/** Takes what the transaction changed over into the state. */
function settle(changes: TransactionState, state: FlatState, sender: string): void {
  for (const [address, balance] of changes.balances) {
    const account = changes.account(address);
    if (account === undefined && balance === 0n) continue;
    const { nonce, storageRoot, codeHash } = account ?? new Account();
    state.setAccountAt(address, new Account(address === sender ? nonce + 1n : nonce, balance, storageRoot, codeHash));
  }
  for (const [address, slots] of changes.slots) {
    for (const [key, { original, current }] of slots) {
      if (current !== original) state.setSlotAt(address, wordLatin(key), minimalBytes(current));
    }
  }
}

function change(state: FlatState, address: string, by: { balance: bigint; nonce?: bigint }): void {
  const { nonce, balance, storageRoot, codeHash } = state.accountAt(address) ?? new Account();
  state.setAccountAt(address, new Account(nonce + (by.nonce ?? 0n), balance + by.balance, storageRoot, codeHash));
}

/** A transaction that was found executable; addresses are latin1. */
interface Admitted {
  tx: TypedTransaction;
  sender: string;
  recipient: string;
  coinbase: string;
  gasPrice: bigint;
  /** Gas before anything runs, and the least that is paid in the end. */
  gas: { intrinsic: number; floor: number };
}

/** Runs a transaction to an account without code: it cannot fail. */
function transfer({ tx, sender, recipient, coinbase, gasPrice, gas }: Admitted, { state, block }: InlineContext): InlineResult | undefined {
  // It would be deleted (EIP-161).
  if (state.accountAt(recipient)?.isEmpty() === true) return undefined;
  const gasUsed = BigInt(gas.floor);
  change(state, sender, { balance: -(tx.value + gasUsed * gasPrice), nonce: 1n });
  if (tx.value > 0n) change(state, recipient, { balance: tx.value });
  change(state, coinbase, { balance: gasUsed * (gasPrice - block.baseFeePerGas) });
  return { succeeded: true, gasUsed, logs: [] };
}

/** Runs a transaction to a contract. */
function callContract(
  { tx, sender, recipient, coinbase, gasPrice, gas }: Admitted,
  { state, block }: InlineContext,
  machine: Machine,
): InlineResult | undefined {
  const { state: changes } = machine;
  beginTransaction(machine, { sender, gasPrice, warm: [sender, recipient, coinbase] });
  changes.setBalance(sender, changes.balance(sender) - tx.gasLimit * gasPrice);
  const mark = changes.mark();
  if (tx.value > 0n) changes.move(sender, recipient, tx.value);
  const limit = Number(tx.gasLimit);
  let ended: ReturnType<typeof runCode>;
  try {
    const code = enterableCode(changes.account(recipient), changes.code(recipient));
    const { origin: caller } = machine.environment;
    const available = limit - gas.intrinsic;
    ended = runCode({ address: recipient, code, caller, value: tx.value, data: tx.data, isStatic: false, depth: 0, gas: available }, machine);
  } catch (error) {
    if (error === FOREIGN_OPCODE) return undefined;
    throw error;
  }
  const succeeded = ended.outcome === 'done';
  if (!succeeded) changes.revert(mark);
  const spent = ended.outcome === 'halted' ? limit : limit - ended.frame.gas;
  const gasUsed = BigInt(Math.max(spent - Math.min(changes.refund, Math.floor(spent / 5)), gas.floor));
  changes.setBalance(sender, changes.balance(sender) + (tx.gasLimit - gasUsed) * gasPrice);
  changes.setBalance(coinbase, changes.balance(coinbase) + gasUsed * (gasPrice - block.baseFeePerGas));
  settle(changes, state, sender);
  return { succeeded, gasUsed, logs: succeeded ? changes.logs : [] };
}

/** Whether a transaction is of a form that is run here: it calls something, at a price that leaves the coinbase a tip. */
function isPlain(tx: TypedTransaction, { block, common }: InlineContext): boolean {
  if (common.hardfork() !== 'osaka' || tx.type > 2 || tx.to === undefined) return false;
  if ('accessList' in tx && tx.accessList.length > 0) return false;
  return effectiveGasPrice(tx, block.baseFeePerGas) > block.baseFeePerGas;
}

/**
 * Executes transactions of a block, each in one synchronous go, to the same state, gas and receipt as @ethereumjs/vm's
 * runTx, which awaits several times for each opcode and call. It holds everything back until a transaction is over, so
 * that one which turns out to want more (creation, precompiles, delegated code, block hashes) leaves no trace.
 */
export function createInlineRunner(context: InlineContext): InlineRunner {
  const { state, block } = context;
  const machine = createMachine(context);
  const coinbase = latin(block.coinbase);
  return (tx, senderBytes) => {
    const to = tx.to?.bytes;
    if (to === undefined || !isPlain(tx, context)) return undefined;
    const [sender, recipient] = [latin(senderBytes), latin(to)];
    if (context.isPrecompile(recipient)) return undefined;
    const account = state.accountAt(sender);
    if (account === undefined || hasCode(account) || account.nonce !== tx.nonce || account.balance < maximumCost(tx)) return undefined;
    const gas = gasOfData(tx.data);
    if (tx.gasLimit < Math.max(gas.intrinsic, gas.floor) || tx.gasLimit > block.gasLimit) return undefined;
    const admitted = { tx, sender, recipient, coinbase, gasPrice: effectiveGasPrice(tx, block.baseFeePerGas), gas };
    return hasCode(state.accountAt(recipient)) ? callContract(admitted, context, machine) : transfer(admitted, context);
  };
}
