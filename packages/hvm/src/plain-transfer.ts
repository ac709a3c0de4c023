import { Account, equalsBytes, KECCAK256_NULL } from '@ethereumjs/util';
import type { L2Header } from '@hemid/protocol';
import type { FlatState } from './state/flat-state.ts';
import { effectiveGasPrice, type SenderState, type UserTransaction } from './user-transaction.ts';

/** Gas of a transfer that runs no code. */
export const TRANSFER_GAS = 21_000n;
const NO_CODE = new Uint8Array();

const hasCode = (account: Readonly<Account> | undefined): boolean => account !== undefined && !equalsBytes(account.codeHash, KECCAK256_NULL);

/** Where a transfer happens. */
export interface TransferContext {
  state: FlatState;
  header: L2Header;
  /** Whether an address is that of a precompile. */
  isPrecompile(address: Uint8Array): boolean;
}

/**
 * The recipient of a transaction that only moves coins: nothing runs, nothing is created, all of its gas is known.
 * `undefined` for every other one, and for the rare transfers that leave an account empty (EIP-161).
 */
export function recipientOfTransfer(transaction: UserTransaction, { state, header, isPrecompile }: TransferContext): Uint8Array | undefined {
  const { tx } = transaction;
  const to = tx.to?.bytes;
  if (tx.type > 2 || to === undefined || tx.value === 0n || tx.data.length > 0) return undefined;
  if ('accessList' in tx && tx.accessList.length > 0) return undefined;
  if (effectiveGasPrice(tx, header.baseFeePerGas) <= header.baseFeePerGas || isPrecompile(to)) return undefined;
  return hasCode(state.accountNow(to)) || hasCode(state.accountNow(transaction.sender)) ? undefined : to;
}

/** What the state says of the sender of a transfer. */
export function senderOfTransfer(state: FlatState, sender: Uint8Array): SenderState {
  const account = state.accountNow(sender);
  return { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n, code: NO_CODE };
}

function change(state: FlatState, address: Uint8Array, by: { balance: bigint; nonce?: bigint }): void {
  const before = state.accountNow(address) ?? new Account();
  state.setNow(address, new Account(before.nonce + (by.nonce ?? 0n), before.balance + by.balance, before.storageRoot, before.codeHash));
}

/** Carries out a transfer that was found executable: to the same state, gas and receipt as @ethereumjs/vm's runTx. */
export function runTransfer({ tx, sender }: UserTransaction, to: Uint8Array, { state, header }: TransferContext): void {
  const price = effectiveGasPrice(tx, header.baseFeePerGas);
  change(state, sender, { balance: -(tx.value + TRANSFER_GAS * price), nonce: 1n });
  change(state, to, { balance: tx.value });
  change(state, header.beneficiary, { balance: TRANSFER_GAS * (price - header.baseFeePerGas) });
}
