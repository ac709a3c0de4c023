import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Hex } from '@hemid/protocol';
import type { Abi } from 'viem';

const folder = new URL('./contracts/', import.meta.url);

/** The compiler that the contracts of the network are made with. */
const compiler = createRequire(new URL('../../contracts/package.json', import.meta.url));

/** The text of a source of these tests. */
export const sourceOf = (file: 'Counter.sol' | 'Count.s.sol'): string => readFileSync(new URL(file, folder), 'utf8');

/** The path of the compiler as a CommonJS package, and of the compiler's own file in it. */
export const solcPaths = { package: compiler.resolve('solc'), soljson: compiler.resolve('solc/soljson.js') };

interface Compiled {
  contracts: { 'Counter.sol': { Counter: { abi: Abi; evm: { bytecode: { object: string } } } } };
}

/** What clients that do not compile deploy. */
export function compileCounter(): { abi: Abi; bytecode: Hex } {
  const solc = compiler('solc') as { compile(input: string): string };
  const input = {
    language: 'Solidity',
    sources: { 'Counter.sol': { content: sourceOf('Counter.sol') } },
    settings: { evmVersion: 'osaka', outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  };
  const { abi, evm } = (JSON.parse(solc.compile(JSON.stringify(input))) as Compiled).contracts['Counter.sol'].Counter;
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}

/** What clients sign by EIP-712 for a counter. */
export const addMessage = (chainId: number, verifyingContract: string, more: number) => ({
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Add: [{ name: 'more', type: 'uint256' }],
  },
  primaryType: 'Add',
  domain: { name: 'Counter', chainId, verifyingContract },
  message: { more },
});
