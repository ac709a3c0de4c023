import { isDeepStrictEqual } from 'node:util';
import type { BlockHeader } from '@ethereumjs/block';
import type { TypedTransaction } from '@ethereumjs/tx';
import type { VM } from '@ethereumjs/vm';
import { createInlineRunner, type FlatState, type InlineResult } from '@hemid/hvm';
import { fromHex } from '@hemid/protocol';

/** The state's changes, to be compared with others. */
function changesOf(state: FlatState): object {
  const { accounts, storage, cleared } = state.touched();
  return { accounts, cleared: new Set(cleared), storage: new Map([...storage].map(([address, slots]) => [address, new Map(slots)])) };
}

/**
 * Runs a transaction as the node's blocks do where they need no VM: interpreted, which is taken back, then compiled.
 *
 * @returns `undefined` when it takes a VM, valid or not.
 * @throws when the two differ.
 */
export async function runAsInline(
  vm: VM,
  { tx, state, header }: { tx: TypedTransaction; state: FlatState; header: BlockHeader },
): Promise<InlineResult | undefined> {
  const precompiles = new Set([...vm.evm.precompiles.keys()].map((digits) => Buffer.from(fromHex(digits)).toString('latin1')));
  const block = {
    coinbase: header.coinbase.bytes,
    timestamp: header.timestamp,
    number: header.number,
    prevRandao: header.mixHash,
    gasLimit: header.gasLimit,
    baseFeePerGas: header.baseFeePerGas ?? 0n,
  };
  const isPrecompile = (address: string): boolean => precompiles.has(address);
  const run = (hotAt?: number): InlineResult | undefined =>
    createInlineRunner({ state, common: vm.common, block, isPrecompile, hotAt })(tx, tx.getSenderAddress().bytes);
  await state.checkpoint();
  const interpreted = run();
  const seen = { result: interpreted, changes: changesOf(state) };
  await state.revert();
  const compiled = run(1);
  if (!isDeepStrictEqual({ result: compiled, changes: changesOf(state) }, seen)) throw new Error('compiled code differs from interpreted code');
  return compiled;
}
