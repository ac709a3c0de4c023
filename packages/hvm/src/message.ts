import type { Block } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { EthereumJSError } from '@ethereumjs/rlp';
import { createTx, type TypedTransaction } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';
import { type RunTxResult, runTx, type VM } from '@ethereumjs/vm';
import { equal, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { FlatState } from './state/flat-state.ts';

/** Wei per gas, of the old kind or of EIP-1559. */
export type Fees = { gasPrice: bigint } | { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

/** A message to try out against the state of a block (eth_call and its kin). */
export interface Message {
  /** 20 bytes; zeros when it does not matter. */
  from: Uint8Array;
  /** `undefined` creates a contract. */
  to: Uint8Array | undefined;
  data: Uint8Array;
  value: bigint;
  /** Gas limit. */
  gas: bigint | undefined;
  /** Wei; without it the base fee is taken as zero, as geth does. */
  gasPrice: bigint | undefined;
  /** EIP-2930. */
  accessList?: [address: Uint8Array, slots: Uint8Array[]][] | undefined;
  /** EIP-7702: chain id, address, nonce, y parity, r and s as minimal integers. */
  authorizations?: Uint8Array[][] | undefined;
  /** EIP-4844. */
  blobs?: { hashes: Uint8Array[]; maxFeePerBlobGas: bigint } | undefined;
}

/** What a message lacks to be a transaction. */
export interface TransactionTerms {
  common: Common;
  nonce: bigint;
  gasLimit: bigint;
  fees: Fees;
}

const SMALL = 100_000n;

/** The unsigned transaction of a message, with its sender. */
export function toTransaction(message: Message, terms: TransactionTerms): TypedTransaction {
  const { accessList = [], authorizations, blobs } = message;
  const { common, fees } = terms;
  const isLegacy = 'gasPrice' in fees && message.accessList === undefined;
  const type = authorizations !== undefined ? 4 : blobs !== undefined ? 3 : isLegacy ? 0 : 'gasPrice' in fees ? 1 : 2;
  const price = 'gasPrice' in fees && type > 1 ? { maxFeePerGas: fees.gasPrice, maxPriorityFeePerGas: fees.gasPrice } : fees;
  const fields = {
    type,
    ...(type === 0 ? {} : { chainId: common.chainId(), accessList }),
    ...(type === 3 ? { blobVersionedHashes: blobs?.hashes.map(toHex), maxFeePerBlobGas: blobs?.maxFeePerBlobGas } : {}),
    ...(type === 4 ? { authorizationList: authorizations } : {}),
    nonce: terms.nonce,
    // A call may have more gas than a transaction (EIP-7825).
    gasLimit: SMALL,
    ...price,
    value: message.value,
    data: message.data,
    ...(message.to === undefined ? {} : { to: new Address(message.to) }),
  };
  const tx = inWords(() => createTx(fields as never, { common, freeze: false }));
  const sender = new Address(message.from);
  return Object.assign(tx, { gasLimit: terms.gasLimit, getSenderAddress: () => sender });
}

/** Geth's words for what @ethereumjs says of a message that cannot be run. */
function toFailure(cause: unknown): unknown {
  // Anything else is a fault, not a verdict.
  if (!(cause instanceof EthereumJSError)) return cause;
  const text = cause.message;
  const intrinsic = /INTRINSIC_GAS_TOO_LOW: tx gas limit (\d+) is lower than the minimum gas limit of (\d+)/.exec(text);
  if (intrinsic !== null) return fail('hvm/transaction-invalid', `intrinsic gas too low: have ${intrinsic[1]}, want ${intrinsic[2]}`, { cause });
  return fail('hvm/transaction-invalid', text.split(' (vm')[0] ?? text, { cause });
}

function inWords<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw toFailure(cause);
  }
}

const DELEGATION = Uint8Array.of(0xef, 0x01, 0x00);

/** Lets a contract send a message, as geth does: runTx looks at the sender's code once, before anything runs. */
async function passAsUser(state: FlatState, sender: Address): Promise<void> {
  const code = await state.getCode(sender);
  if (code.length === 0 || equal(code.subarray(0, 3), DELEGATION)) return;
  const { getCode } = state;
  state.getCode = async () => {
    state.getCode = getCode;
    return DELEGATION;
  };
}

/** Runs the transaction of a message; @throws `hvm/transaction-invalid` in geth's words when it cannot be run at all. */
export async function runMessage(
  vm: VM,
  tx: TypedTransaction,
  { block, blockGasUsed }: { block: Block; blockGasUsed: bigint },
): Promise<RunTxResult> {
  const state = vm.stateManager as FlatState;
  const { getCode } = state;
  await passAsUser(state, tx.getSenderAddress());
  try {
    return await runTx(vm, { tx, block, skipNonce: true, skipHardForkValidation: true, skipBlockGasLimitValidation: true, blockGasUsed });
  } catch (cause) {
    throw toFailure(cause);
  } finally {
    state.getCode = getCode;
  }
}
