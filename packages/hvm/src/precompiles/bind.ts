import type { ExecResult, PrecompileInput } from '@ethereumjs/evm';
import { EVMError } from '@ethereumjs/evm';
import { Address } from '@ethereumjs/util';
import type { BitcoinView, ChainSpec } from '@hemid/protocol';

/**
 * A Bitcoin precompile (protocol section 5). `run` gives bytes (none = success with empty output) or `undefined` =
 * the call fails and burns its gas. Lacking data is neither: the view throws a `retry` error, which leaves the EVM.
 */
export interface Precompile<I> {
  name: string;
  /** e.g. 0x40. */
  address: number;
  /** Fixed, charged first. */
  gas: bigint;
  /** The input, or `undefined` when it has the wrong form: then the output is empty. */
  decode(input: Uint8Array, spec: ChainSpec): I | undefined;
  run(input: I, view: BitcoinView, spec: ChainSpec): Promise<Uint8Array | undefined> | Uint8Array | undefined;
}

/** What @ethereumjs/evm takes as a custom precompile. */
export interface BoundPrecompile {
  address: Address;
  function: (input: PrecompileInput) => Promise<ExecResult>;
}

const EMPTY = new Uint8Array();

function failed(gasLimit: bigint, reason: string): ExecResult {
  return { executionGasUsed: gasLimit, returnValue: EMPTY, exceptionError: new EVMError(reason as never) };
}

/** Binds a precompile to the Bitcoin view of one block: charging, decoding and the classes of outcome stand here alone. */
export function bindPrecompile<I>(precompile: Precompile<I>, view: BitcoinView, spec: ChainSpec): BoundPrecompile {
  const low = precompile.address.toString(16).padStart(40, '0');
  return {
    address: new Address(Uint8Array.from(Buffer.from(low, 'hex'))),
    async function({ data, gasLimit }) {
      if (gasLimit < precompile.gas) return failed(gasLimit, EVMError.errorMessages.OUT_OF_GAS);
      // A copy, and a plain one: what decoders slice and turn round is never the EVM's memory.
      const input = precompile.decode(new Uint8Array(data), spec);
      if (input === undefined) return { executionGasUsed: precompile.gas, returnValue: EMPTY };
      const output = await precompile.run(input, view, spec);
      if (output === undefined) return failed(gasLimit, `${precompile.name} failed`);
      return { executionGasUsed: precompile.gas, returnValue: output };
    },
  };
}
