import type { TypedTransaction } from '@ethereumjs/tx';
import { Account, Address } from '@ethereumjs/util';
import { runTx } from '@ethereumjs/vm';
import {
  type BitcoinView,
  DEVELOPMENT_TYPE,
  encodeReceiptWith,
  encodeSystemTransaction,
  FEE_VAULT_ADDRESS,
  fromHex,
  hashHeader,
  type L2Block,
  type L2Header,
  type Receipt,
  type SystemEnvelope,
  TUNNEL_ADDRESS,
  TUNNEL_SUMS_SLOT,
  type TunnelSums,
  toTunnelSums,
} from '@hemid/protocol';
import { type BlockInput, type ExecutionDeps, openingWrites, openVm, startHeader, toEvmBlock } from './block-opening.ts';
import { bloomsOf } from './bloom.ts';
import { createInlineRunner, type InlineResult } from './inline/inline-transaction.ts';
import { commitState } from './state/commit-state.ts';
import { type FlatState, openFlatState } from './state/flat-state.ts';
import { latin } from './state/key.ts';
import type { StateChanges } from './state/source.ts';
import { putWord, type StorageWrite } from './state/write.ts';
import { admitDevelopment } from './system/development.ts';
import { marksOf, runSystem } from './system/run.ts';
import { listRoot } from './trie-root.ts';
import { checkExecutable, checkStateless, effectiveGasPrice, type UserTransaction } from './user-transaction.ts';

/** A block with everything its execution made. */
export interface ExecutedBlock extends StateChanges {
  block: L2Block;
  hash: Uint8Array;
  receipts: Receipt[];
  /** How much more wei all accounts hold together, the dead address and what development transactions set aside. */
  supplyChange: bigint;
  /** Tunnel's sums after the block. */
  tunnel: TunnelSums;
}

/** A block while it executes: system transactions first, then user transactions, then the end. */
export interface BlockExecution {
  /** The fields of the header that are known from the start; the roots are still those of an empty block. */
  readonly header: L2Header;
  /** Gas that user transactions may still take: the block's limit less system limits and user gas so far. */
  gasLeft(): bigint;
  /** @throws `hvm/transaction-invalid` for a development transaction that cannot be executed now, or not on this chain; then it left no trace. */
  system(transaction: SystemEnvelope): Promise<Receipt>;
  /** Writes storage in the executor's own name. */
  write(writes: readonly StorageWrite[]): Promise<void>;
  /** @throws `hvm/transaction-invalid` when it cannot be executed now; then it left no trace. */
  user(transaction: UserTransaction): Promise<Receipt>;
  /** Credits the base fees, takes the roots. Nothing runs after it. */
  finish(): Promise<ExecutedBlock>;
}

/** Transactions between two pauses. */
const TURN = 32;
/** Receipts that are encoded between two pauses. */
const ENCODED_A_TURN = 512;

/** Tunnel's sums in a state. */
export function tunnelSums(state: FlatState): TunnelSums {
  return toTunnelSums(state.slotAt(latin(TUNNEL_ADDRESS), latin(TUNNEL_SUMS_SLOT)));
}

/** Opens the block after `input.parent`; the parent hash is written for EIP-2935, and what an upgrade changes for Tunnel, before anything runs. */
export async function openBlockExecution(deps: ExecutionDeps, input: BlockInput, view: BitcoinView): Promise<BlockExecution> {
  const header = startHeader(deps.spec, input, view);
  const base = deps.states.base(header.parentHash);
  const state = openFlatState(deps.common, base);
  const vm = await openVm(deps, state, view, input.ancestorHash);
  const block = toEvmBlock(header, deps.common);
  const receipts: Receipt[] = [];
  const transactions: Uint8Array[] = [];
  let gasUsed = 0n;
  let systemLimits = 0n;
  let userGas = 0n;
  /** Wei that development transactions have set. */
  let minted = 0n;

  const precompiles = new Set([...vm.evm.precompiles.keys()].map((digits) => latin(fromHex(digits))));
  const runInline = createInlineRunner({
    state,
    common: deps.common,
    block: { ...header, coinbase: header.beneficiary, prevRandao: header.mixHash },
    isPrecompile: (address) => precompiles.has(address),
    hotAt: deps.hotAt,
  });

  const write = async (writes: readonly StorageWrite[]): Promise<void> => {
    for (const one of writes) await putWord(state, one);
  };
  await write(openingWrites(deps.spec, { parent: input.parent, header }));

  function keep(raw: Uint8Array, receipt: Omit<Receipt, 'cumulativeGasUsed'>): Receipt {
    gasUsed += receipt.gasUsed;
    // Field by field: spreading costs ten times as much.
    const { type, succeeded, logs, nonce } = receipt;
    const complete = {
      type,
      succeeded,
      gasUsed: receipt.gasUsed,
      cumulativeGasUsed: gasUsed,
      logs,
      nonce,
      effectiveGasPrice: receipt.effectiveGasPrice,
    };
    transactions.push(raw);
    receipts.push(complete);
    return complete;
  }

  const gasLeft = (): bigint => header.gasLimit - systemLimits - userGas;

  async function runStock(tx: TypedTransaction): Promise<InlineResult> {
    const { totalGasSpent, execResult, receipt } = await runTx(vm, { tx, block, skipHardForkValidation: true, blockGasUsed: gasUsed });
    const logs = receipt.logs.map(([address, topics, data]) => ({ address, topics, data }));
    return { succeeded: execResult.exceptionError === undefined, gasUsed: totalGasSpent, logs };
  }

  return {
    header,
    gasLeft,
    write,
    async system(transaction) {
      const isDevelopment = transaction.type === DEVELOPMENT_TYPE;
      if (isDevelopment) minted += admitDevelopment(transaction, { spec: deps.spec, common: deps.common, state, header, gasLeft: gasLeft() });
      const result = await runSystem(vm, block, transaction);
      await write(marksOf(transaction, result));
      if (isDevelopment) userGas += result.gasUsed;
      else systemLimits += transaction.gas;
      const { type } = transaction;
      return keep(encodeSystemTransaction(transaction), { type, effectiveGasPrice: 0n, ...result });
    },
    async user(transaction) {
      const { tx, raw, sender } = transaction;
      if (receipts.length % TURN === TURN - 1) await deps.pause?.();
      checkStateless(transaction);
      const account = state.accountAt(latin(sender));
      const known = { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n, code: state.codeAt(latin(sender)) };
      checkExecutable(transaction, known, header, gasLeft());
      const result = (deps.inline === 'off' ? undefined : runInline(tx, sender)) ?? (await runStock(tx));
      userGas += result.gasUsed;
      return keep(raw, { type: tx.type, nonce: tx.nonce, effectiveGasPrice: effectiveGasPrice(tx, header.baseFeePerGas), ...result });
    },
    async finish() {
      if (userGas > 0n) {
        const vault = new Address(FEE_VAULT_ADDRESS);
        const account = (await state.getAccount(vault)) ?? new Account();
        account.balance += header.baseFeePerGas * userGas;
        await state.putAccount(vault, account);
      }
      const { root, diff, before, supplyChange } = await commitState(state, base, deps.pause);
      await deps.pause?.();
      const transactionsRoot = listRoot(transactions);
      await deps.pause?.();
      const blooms = bloomsOf(receipts);
      await deps.pause?.();
      const encoded: Uint8Array[] = [];
      for (const [i, receipt] of receipts.entries()) {
        if (i % ENCODED_A_TURN === ENCODED_A_TURN - 1) await deps.pause?.();
        encoded.push(encodeReceiptWith(receipt, blooms.each[i] as Uint8Array));
      }
      await deps.pause?.();
      const complete: L2Header = {
        ...header,
        stateRoot: root,
        transactionsRoot,
        receiptsRoot: listRoot(encoded),
        logsBloom: blooms.all,
        gasUsed,
      };
      return {
        block: { header: complete, transactions },
        hash: hashHeader(complete),
        receipts,
        diff,
        before,
        supplyChange: supplyChange - minted,
        tunnel: tunnelSums(state),
      };
    },
  };
}
