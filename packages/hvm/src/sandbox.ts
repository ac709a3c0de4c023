import type { Block } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { getActivePrecompiles } from '@ethereumjs/evm';
import { Account, Address } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import { type BitcoinView, type ChainSpec, EMPTY_REQUESTS_HASH, FEE_VAULT_ADDRESS, fromHex, type L2Header, type Receipt } from '@hemid/protocol';
import { type BlockInput, type ExecutionDeps, openingWrites, openVm } from './block-opening.ts';
import { bindAll } from './precompiles/all.ts';
import type { FlatState } from './state/flat-state.ts';
import { latin } from './state/key.ts';
import type { BaseState, StateSource } from './state/source.ts';
import { putWord } from './state/write.ts';

/** A place to try things out: the state after a block, the rules that hold there, and how blocks begin and end on its chain. */
export interface Sandbox {
  readonly spec: ChainSpec;
  readonly common: Common;
  /** The block after which things are tried. */
  readonly header: L2Header;
  readonly hash: Uint8Array;
  /** Hash of an ancestor of the block, for BLOCKHASH. */
  ancestorHash: BlockInput['ancestorHash'];
  /** The state after the block, to read. */
  source(): StateSource;
  /** The same, from which roots can be taken; costly far below the head. */
  base(): BaseState;
  /** Whether an address (latin1) is that of a precompile; left out where calls must not run inline. */
  isPrecompile?: ((address: string) => boolean) | undefined;
  /** As {@link ExecutionDeps.hotAt}. */
  hotAt?: number | undefined;
  openVm(state: FlatState, ancestorHash: BlockInput['ancestorHash']): Promise<VM>;
  /** What a block does before its transactions. */
  begin(state: FlatState, block: SandboxBlock): Promise<void>;
  /** What a block does after them. */
  end(state: FlatState, block: SandboxBlock, done: { receipts: readonly Receipt[]; baseFees: bigint }): Promise<{ requestsHash: Uint8Array }>;
}

/** A block that is tried out. */
export interface SandboxBlock {
  header: L2Header;
  vm: VM;
  /** The header as the EVM's environment. */
  evmBlock: Block;
}

/** What a {@link Sandbox} of this chain stands on. */
export interface SandboxContext {
  header: L2Header;
  /** Hash of the block. */
  hash: Uint8Array;
  view: BitcoinView;
  ancestorHash: BlockInput['ancestorHash'];
}

const precompiles = new WeakMap<ExecutionDeps, ReadonlySet<string>>();

/** The test whether an address (latin1) is that of a precompile; which ones there are is the same in every block. */
function precompileTest(deps: ExecutionDeps, view: BitcoinView): (address: string) => boolean {
  let known = precompiles.get(deps);
  if (known === undefined) {
    known = new Set([...getActivePrecompiles(deps.common, bindAll(view, deps.spec)).keys()].map((digits) => latin(fromHex(digits))));
    precompiles.set(deps, known);
  }
  const all = known;
  return (address) => all.has(address);
}

/** The {@link Sandbox} after a block of this chain; its contracts go on seeing Bitcoin as that block sees it. */
export function createSandbox(deps: ExecutionDeps, context: SandboxContext): Sandbox {
  return {
    spec: deps.spec,
    common: deps.common,
    header: context.header,
    hash: context.hash,
    ancestorHash: context.ancestorHash,
    source: () => deps.states.source(context.hash),
    base: () => deps.states.base(context.hash),
    isPrecompile: deps.inline === 'off' ? undefined : precompileTest(deps, context.view),
    hotAt: deps.hotAt,
    openVm: (state, ancestorHash) => openVm(deps, state, context.view, ancestorHash),
    async begin(state, { header }) {
      // A later block of a simulation writes the same configuration again.
      for (const write of openingWrites(deps.spec, { parent: context.header, header })) await putWord(state, write);
    },
    async end(state, _block, { baseFees }) {
      if (baseFees > 0n) {
        const vault = new Address(FEE_VAULT_ADDRESS);
        const account = (await state.getAccount(vault)) ?? new Account();
        account.balance += baseFees;
        await state.putAccount(vault, account);
      }
      return { requestsHash: EMPTY_REQUESTS_HASH };
    },
  };
}
