import type { Common } from '@ethereumjs/common';
import type { TypedTransaction } from '@ethereumjs/tx';
import { Account, equalsBytes, KECCAK256_NULL } from '@ethereumjs/util';
import type { Log } from '@hemid/protocol';
import type { FlatState } from '../state/flat-state.ts';
import { latin } from '../state/key.ts';
import { effectiveGasPrice, gasOfData, maximumCost } from '../user-transaction.ts';
import { enterableCode, runCall, runCode } from './call.ts';
import { type Environment, FOREIGN_OPCODE, type Machine } from './machine.ts';
import { createTransactionState, type TransactionState } from './transaction-state.ts';
import { minimalBytes, toWord, wordLatin } from './words.ts';

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
}

/** What executing a transaction gave. */
export interface InlineResult {
  succeeded: boolean;
  gasUsed: bigint;
  logs: Log[];
}

const hasCode = (account: Readonly<Account> | undefined): boolean => account !== undefined && !equalsBytes(account.codeHash, KECCAK256_NULL);

/** What frames of a transaction see of its block and sender. */
export function environmentOf({ block, common, isPrecompile }: Omit<InlineContext, 'state'>, sender: string, gasPrice: bigint): Environment {
  return {
    origin: toWord(Buffer.from(sender, 'latin1')),
    gasPrice,
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
function callContract({ tx, sender, recipient, coinbase, gasPrice, gas }: Admitted, context: InlineContext): InlineResult | undefined {
  const { state, block } = context;
  const changes = createTransactionState(state, [sender, recipient, coinbase]);
  const machine: Machine = {
    state: changes,
    environment: environmentOf(context, sender, gasPrice),
    call: (opcode, frame, top) => runCall(opcode, frame, machine, top),
  };
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
 * Executes a transaction in one synchronous go, to the same state, gas and receipt as @ethereumjs/vm's runTx, which
 * awaits several times for each opcode and call. It holds everything back until the transaction is over, so that one
 * which turns out to want more (creation, precompiles, delegated code, block hashes) leaves no trace.
 *
 * @returns `undefined` for a transaction that is left to runTx, valid or not.
 */
export function runInline(tx: TypedTransaction, senderBytes: Uint8Array, context: InlineContext): InlineResult | undefined {
  const { state, block } = context;
  const to = tx.to?.bytes;
  if (to === undefined || !isPlain(tx, context) || context.isPrecompile(latin(to))) return undefined;
  const [sender, recipient, coinbase] = [latin(senderBytes), latin(to), latin(block.coinbase)];
  const account = state.accountAt(sender);
  if (account === undefined || hasCode(account) || account.nonce !== tx.nonce || account.balance < maximumCost(tx)) return undefined;
  const gas = gasOfData(tx.data);
  if (tx.gasLimit < Math.max(gas.intrinsic, gas.floor) || tx.gasLimit > block.gasLimit) return undefined;
  const admitted = { tx, sender, recipient, coinbase, gasPrice: effectiveGasPrice(tx, block.baseFeePerGas), gas };
  return hasCode(state.accountAt(recipient)) ? callContract(admitted, context) : transfer(admitted, context);
}
