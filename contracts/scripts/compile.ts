import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import solc from 'solc';

/** How the contracts are compiled: with the same solc these settings give the same bytecode on every machine. */
const settings = { evmVersion: 'osaka', optimizer: { enabled: true, runs: 200 }, metadata: { bytecodeHash: 'none' } };

/** One compiled contract, as it stands in `artifacts/<contractName>.json`; bytecode is 0x-prefixed hex. */
export interface Artifact {
  contractName: string;
  compiler: { version: string; evmVersion: string; optimizerRuns: number };
  abi: unknown[];
  bytecode: `0x${string}`;
  deployedBytecode: `0x${string}`;
}

interface Output {
  errors?: { formattedMessage: string }[];
  contracts: Record<string, Record<string, CompiledContract>>;
}

interface CompiledContract {
  abi: unknown[];
  evm: { bytecode: Code; deployedBytecode: Code & { immutableReferences?: object } };
}

interface Code {
  object: string;
  linkReferences: object;
}

/** The package's folder, which names of sources are relative to. */
const root = join(import.meta.dirname, '..');

/**
 * Compiles every `.sol` file of `folders` (relative to the package), the contracts in the order of their names; an interface has
 * no code and makes no artifact.
 * Throws on any error or warning of solc, and on a contract with immutables or libraries, whose code could not stand in a genesis.
 */
export function compile(...folders: string[]): Artifact[] {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(folders.flatMap(readSources)),
    settings: {
      ...settings,
      outputSelection: {
        '*': {
          '*': [
            'abi',
            'evm.bytecode.object',
            'evm.bytecode.linkReferences',
            'evm.deployedBytecode.object',
            'evm.deployedBytecode.linkReferences',
            'evm.deployedBytecode.immutableReferences',
          ],
        },
      },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  if (output.errors?.length) throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'));
  return Object.values(output.contracts)
    .flatMap((file) => Object.entries(file))
    .filter(([, { evm }]) => evm.deployedBytecode.object !== '')
    .map(([name, contract]) => toArtifact(name, contract))
    .sort((a, b) => (a.contractName < b.contractName ? -1 : 1));
}

/** The text of an artifact's file. */
export function toArtifactText(artifact: Artifact): string {
  return `${JSON.stringify(artifact, undefined, 2)}\n`;
}

function readSources(folder: string): [string, { content: string }][] {
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.sol'))
    .sort()
    .map((file) => [`${folder}/${file}`, { content: readFileSync(join(root, folder, file), 'utf8') }]);
}

function toArtifact(contractName: string, { abi, evm }: CompiledContract): Artifact {
  const unfilled = { ...evm.deployedBytecode.immutableReferences, ...evm.deployedBytecode.linkReferences };
  if (Object.keys(unfilled).length > 0) throw new Error(`${contractName} has immutables or library links`);
  return {
    contractName,
    compiler: {
      version: solc.version().replace('.Emscripten.clang', ''),
      evmVersion: settings.evmVersion,
      optimizerRuns: settings.optimizer.runs,
    },
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployedBytecode: `0x${evm.deployedBytecode.object}`,
  };
}
