import type { Common } from '@ethereumjs/common';
import { Account, Address } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import {
  type AccountWrite,
  type ChainSpec,
  DEAD_ADDRESS,
  type DevelopmentTransaction,
  encodeSystemTransaction,
  equal,
  type L2Header,
} from '@hemid/protocol';
import { fail } from '../errors.ts';
import { runMessage, toTransaction } from '../message.ts';
import type { FlatState } from '../state/flat-state.ts';
import { keccak } from '../state/keccak.ts';
import { latin } from '../state/key.ts';
import { putWord } from '../state/write.ts';
import { checkExecutable, checkStateless, effectiveGasPrice, type UserTransaction } from '../user-transaction.ts';
import { takeSystemNonce } from './call.ts';
import type { SystemExecution } from './transaction.ts';

/** The call of a development transaction as a user's transaction that nobody has signed. @throws `hvm/transaction-invalid` */
export function asUserTransaction(transaction: DevelopmentTransaction, common: Common): UserTransaction {
  const { from, nonce, to, gas, maxFeePerGas, maxPriorityFeePerGas, value, data } = transaction;
  const raw = encodeSystemTransaction(transaction);
  const message = { from, to, data, value, gas: undefined, gasPrice: undefined };
  const tx = toTransaction(message, { common, nonce, gasLimit: gas, fees: { maxFeePerGas, maxPriorityFeePerGas } });
  return { raw, hash: keccak(raw), sender: from, tx };
}

/** What a development transaction meets. */
export interface DevelopmentCircumstances {
  spec: ChainSpec;
  common: Common;
  state: FlatState;
  header: L2Header;
  /** Gas that is left in the block. */
  gasLeft: bigint;
}

/** A call must be what a user's transaction must be, but for signature and code of its sender. */
function checkCall(transaction: DevelopmentTransaction, { common, state, header, gasLeft }: DevelopmentCircumstances): void {
  const user = asUserTransaction(transaction, common);
  checkStateless(user);
  const account = state.accountAt(latin(user.sender));
  const sender = { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n, code: new Uint8Array() };
  checkExecutable(user, sender, header, gasLeft);
}

/** Wei that writes make out of nothing; the dead address is no account (protocol section 10, Accounting). */
function mintedBy(writes: readonly AccountWrite[], state: FlatState): bigint {
  const balances = new Map<string, bigint>();
  let minted = 0n;
  for (const write of writes) {
    if (!('balance' in write) || equal(write.address, DEAD_ADDRESS)) continue;
    const at = latin(write.address);
    minted += write.balance - (balances.get(at) ?? state.accountAt(at)?.balance ?? 0n);
    balances.set(at, write.balance);
  }
  return minted;
}

/**
 * The one place that says whether a development transaction may stand in a block, for builder and verifier.
 *
 * @returns wei that it makes out of nothing.
 * @throws `hvm/transaction-invalid` on every chain whose spec does not say `development`, and for a call that cannot be executed.
 */
export function admitDevelopment(transaction: DevelopmentTransaction, circumstances: DevelopmentCircumstances): bigint {
  if (circumstances.spec.genesis.development !== true) {
    throw fail('hvm/transaction-invalid', 'development transactions (0x7f) are for chains whose spec says "development"');
  }
  if (transaction.gas > 0n) checkCall(transaction, circumstances);
  return mintedBy(transaction.writes, circumstances.state);
}

async function put(state: FlatState, write: AccountWrite): Promise<void> {
  const address = new Address(write.address);
  const account = (await state.getAccount(address)) ?? new Account();
  if ('code' in write) return state.putCode(address, write.code);
  if ('balance' in write) account.balance = write.balance;
  if ('nonce' in write) account.nonce = write.nonce;
  await state.putAccount(address, account);
  if ('slot' in write) await putWord(state, write);
}

async function runWrites(vm: VM, writes: readonly AccountWrite[]) {
  await vm.evm.journal.cleanup();
  const nonce = await takeSystemNonce(vm);
  await vm.evm.journal.cleanup();
  for (const write of writes) await put(vm.stateManager as FlatState, write);
  vm.stateManager.originalStorageCache.clear();
  return { succeeded: true, gasUsed: 0n, logs: [], nonce };
}

/** 0x7F: an unsigned call, which pays for its gas as a user's, or writes to accounts; on development networks alone. */
export const developmentExecution: SystemExecution<DevelopmentTransaction> = {
  async run(vm, block, transaction) {
    if (transaction.gas === 0n) return runWrites(vm, transaction.writes);
    const { tx } = asUserTransaction(transaction, vm.common);
    const { execResult, totalGasSpent, receipt } = await runMessage(vm, tx, { block, blockGasUsed: 0n });
    return {
      succeeded: execResult.exceptionError === undefined,
      gasUsed: totalGasSpent,
      logs: receipt.logs.map(([address, topics, data]) => ({ address, topics, data })),
      nonce: transaction.nonce,
      effectiveGasPrice: effectiveGasPrice(tx, block.header.baseFeePerGas ?? 0n),
    };
  },
  marks: () => [],
};
