import type { BlockHeader } from '@ethereumjs/block';
import type { TypedTransaction } from '@ethereumjs/tx';
import type { VM } from '@ethereumjs/vm';
import { createInlineRunner, type FlatState, type InlineResult } from '@hemid/hvm';
import { fromHex } from '@hemid/protocol';

/** Runs a transaction as the node's blocks do where they need no VM; `undefined` when it takes one, valid or not. */
export function runAsInline(
  vm: VM,
  { tx, state, header }: { tx: TypedTransaction; state: FlatState; header: BlockHeader },
): InlineResult | undefined {
  const precompiles = new Set([...vm.evm.precompiles.keys()].map((digits) => Buffer.from(fromHex(digits)).toString('latin1')));
  const block = {
    coinbase: header.coinbase.bytes,
    timestamp: header.timestamp,
    number: header.number,
    prevRandao: header.mixHash,
    gasLimit: header.gasLimit,
    baseFeePerGas: header.baseFeePerGas ?? 0n,
  };
  const context = { state, common: vm.common, block, isPrecompile: (address: string) => precompiles.has(address) };
  return createInlineRunner(context)(tx, tx.getSenderAddress().bytes);
}
