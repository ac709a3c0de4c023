import type { Common } from '@ethereumjs/common';
import { createTxFromRLP, getMinimumGasLimit, type TypedTransaction } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';
import { equal, isSystemEnvelope, type L2Header, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import { decodeFeeMarket } from './fee-market-transaction.ts';
import { hashOfTransaction, rememberSender, senderOf } from './sender.ts';

/** A user transaction with a valid signature. */
export interface UserTransaction {
  raw: Uint8Array;
  hash: Uint8Array;
  /** 20 bytes. */
  sender: Uint8Array;
  /** The decoded form of @ethereumjs/tx. */
  tx: TypedTransaction;
}

/** Gas limit of one transaction (EIP-7825). */
export const MAX_TRANSACTION_GAS = 16_777_216n;
const BLOB_TYPE = 3;
const MAX_TYPE = 4;

const refuse = (message: string, cause?: unknown): Error => fail('hvm/transaction-invalid', message, { cause });

/** What @ethereumjs/tx says of a transaction that parses but must not be, and geth's words for it. */
const WORDS: [pattern: RegExp, words: string][] = [
  [
    /^Transaction gas limit (\d+) exceeds the maximum allowed by EIP-7825.*$/s,
    `transaction gas limit too high (cap: ${MAX_TRANSACTION_GAS}, tx: $1)`,
  ],
  [/^maxFeePerGas cannot be less than maxPriorityFeePerGas.*$/s, 'max priority fee per gas higher than max fee per gas'],
  [/^the initcode size of this transaction is too large: it is (\d+) while the max is (\d+)$/, 'max initcode size exceeded: code size $1, limit $2'],
  [/^Common chain ID .*$/s, 'invalid sender: invalid chain id for signer'],
];

function inGethsWords(cause: unknown): string {
  const { message } = cause as Error;
  const entry = WORDS.find(([pattern]) => pattern.test(message));
  return entry === undefined ? `rlp: ${message}` : message.replace(...entry);
}

/**
 * Decodes a raw transaction of type 0, 1, 2 or 4 and recovers its sender.
 *
 * @throws `hvm/transaction-invalid` for bytes that are no transaction, another chain's, of another type, or whose
 * signature does not hold.
 */
export function decodeUserTransaction(raw: Uint8Array, common: Common): UserTransaction {
  const type = (raw[0] ?? 0) >= 0xc0 ? 0 : (raw[0] ?? 0);
  if (isSystemEnvelope(raw)) throw refuse('transaction type not supported: system transactions (0x7c to 0x7f) are made by blocks alone');
  if (type === BLOB_TYPE) throw refuse('transaction type not supported: this chain takes no blob transactions (type 3)');
  if (raw.length === 0 || type > MAX_TYPE) throw refuse('transaction type not supported');
  let tx: TypedTransaction;
  try {
    tx = decodeFeeMarket(raw, common) ?? createTxFromRLP(raw, { common, freeze: false });
  } catch (cause) {
    throw refuse(inGethsWords(cause), cause);
  }
  const hash = hashOfTransaction(raw);
  let sender = senderOf(raw, hash);
  if (sender === undefined) {
    sender = senderByTheBook(tx);
    rememberSender(hash, sender);
  }
  setSender(tx, sender);
  return { raw, hash, sender, tx };
}

/** Tells a transaction its sender, so that nobody recovers it again. */
function setSender(tx: TypedTransaction, sender: Uint8Array): void {
  if ('sender' in tx) {
    tx.sender = sender;
    return;
  }
  const address = new Address(sender);
  tx.getSenderAddress = () => address;
  Object.freeze(tx);
}

/** The sender as @ethereumjs/tx finds it, with all its checks. */
function senderByTheBook(tx: TypedTransaction): Uint8Array {
  try {
    return tx.getSenderAddress().bytes;
  } catch (cause) {
    throw refuse('invalid sender', cause);
  }
}

/** Wei per gas that the sender is willing to pay at most. */
export function feeCap(tx: TypedTransaction): bigint {
  return 'maxFeePerGas' in tx ? tx.maxFeePerGas : tx.gasPrice;
}

/** Wei per gas above the base fee that the sender is willing to pay at most. */
export function tipCap(tx: TypedTransaction): bigint {
  return 'maxPriorityFeePerGas' in tx ? tx.maxPriorityFeePerGas : tx.gasPrice;
}

/** Wei per gas really paid at a base fee. */
export function effectiveGasPrice(tx: TypedTransaction, baseFee: bigint): bigint {
  const cap = feeCap(tx);
  const price = baseFee + tipCap(tx);
  return price < cap ? price : cap;
}

/** Wei that the sender must own: value and all of its gas at the fee cap. */
export function maximumCost(tx: TypedTransaction): bigint {
  return tx.value + tx.gasLimit * feeCap(tx);
}

const TRANSACTION_GAS = 21_000;

/** Gas that a call with these data takes before anything runs, and the least it pays in the end (EIP-2028, EIP-7623). */
export function gasOfData(data: Uint8Array): { intrinsic: number; floor: number } {
  let tokens = 0;
  for (const byte of data) tokens += byte === 0 ? 1 : 4;
  return { intrinsic: TRANSACTION_GAS + 4 * tokens, floor: TRANSACTION_GAS + 10 * tokens };
}

/** The least gas limit that a transaction may have. */
function minimumGas(tx: TypedTransaction): bigint {
  const isPlain = tx.type <= 2 && tx.to !== undefined && !('accessList' in tx && tx.accessList.length > 0);
  return isPlain ? BigInt(gasOfData(tx.data).floor) : getMinimumGasLimit(tx, tx.getSenderAddress());
}

/**
 * The checks that need nothing but the transaction: minimum gas, gas cap, fees that contradict each other.
 *
 * @throws `hvm/transaction-invalid`
 */
export function checkStateless({ tx }: UserTransaction): void {
  if (tx.gasLimit > MAX_TRANSACTION_GAS) {
    throw refuse(`transaction gas limit too high (cap: ${MAX_TRANSACTION_GAS}, tx: ${tx.gasLimit})`);
  }
  const minimum = minimumGas(tx);
  if (tx.gasLimit < minimum) throw refuse(`intrinsic gas too low: gas ${tx.gasLimit}, minimum needed ${minimum}`);
  if (tipCap(tx) > feeCap(tx)) {
    throw refuse(`max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: ${tipCap(tx)}, maxFeePerGas: ${feeCap(tx)}`);
  }
  if (tx.nonce >= 2n ** 64n - 1n) throw refuse('nonce has max value');
}

/** What the state says of a sender. */
export interface SenderState {
  nonce: bigint;
  balance: bigint;
  code: Uint8Array;
}

const DELEGATION = Uint8Array.of(0xef, 0x01, 0x00);

/** An account with code sends nothing (EIP-3607), unless the code is a delegation (EIP-7702). */
function mayNotSend(code: Uint8Array): boolean {
  return code.length > 0 && !equal(code.subarray(0, 3), DELEGATION);
}

/**
 * Everything that makes a transaction executable in a block, apart from {@link checkStateless}.
 *
 * @throws `hvm/transaction-invalid` with geth's wording.
 */
export function checkExecutable(transaction: UserTransaction, sender: SenderState, block: Pick<L2Header, 'baseFeePerGas'>, gasLeft: bigint): void {
  const { tx } = transaction;
  const address = toHex(transaction.sender);
  if (tx.nonce < sender.nonce) throw refuse(`nonce too low: address ${address}, tx: ${tx.nonce} state: ${sender.nonce}`);
  if (tx.nonce > sender.nonce) throw refuse(`nonce too high: address ${address}, tx: ${tx.nonce} state: ${sender.nonce}`);
  if (mayNotSend(sender.code)) throw refuse(`sender not an eoa: address ${address}`);
  if (feeCap(tx) < block.baseFeePerGas) {
    throw refuse(`max fee per gas less than block base fee: address ${address}, maxFeePerGas: ${feeCap(tx)}, baseFee: ${block.baseFeePerGas}`);
  }
  if (sender.balance < maximumCost(tx)) {
    throw refuse(`insufficient funds for gas * price + value: address ${address} have ${sender.balance} want ${maximumCost(tx)}`);
  }
  if (tx.gasLimit > gasLeft) throw refuse(`gas limit reached: ${tx.gasLimit} wanted, ${gasLeft} left in the block`);
}
