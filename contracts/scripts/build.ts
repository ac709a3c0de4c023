import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, toArtifactText } from './compile.ts';

/** Compiles `solidity/` and rewrites `artifacts/`. */
const artifacts = compile('solidity');
const folder = join(import.meta.dirname, '..', 'artifacts');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const artifact of artifacts) {
  writeFileSync(join(folder, `${artifact.contractName}.json`), toArtifactText(artifact));
  const size = (artifact.deployedBytecode.length - 2) / 2;
  process.stdout.write(`${artifact.contractName}: ${size} bytes\n`);
}
