import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toFunctionSelector } from 'viem';
import { expect, test } from 'vitest';
import { compile, toArtifactText } from '../scripts/compile.ts';
import * as contracts from '../src/index.ts';

const folder = join(import.meta.dirname, '..', 'artifacts');

test('solc makes the checked-in artifacts again, byte for byte', () => {
  const compiled = compile('solidity');
  expect(readdirSync(folder)).toEqual(compiled.map(({ contractName }) => `${contractName}.json`));
  for (const artifact of compiled) {
    const checkedIn = readFileSync(join(folder, `${artifact.contractName}.json`), 'utf8');
    expect(checkedIn, artifact.contractName).toBe(toArtifactText(artifact));
  }
});

test('the package exports every artifact', () => {
  const exported = Object.values(contracts).map(({ contractName }) => contractName);
  expect(exported.map((name) => `${name}.json`).sort()).toEqual(readdirSync(folder).sort());
});

test('the system calls have the selectors of the protocol', () => {
  const selectors = (contract: contracts.Contract) =>
    contract.abi.filter((entry) => entry.type === 'function').map((entry) => toFunctionSelector(entry));
  expect(selectors(contracts.popReward)).toContain('0x1725877d');
  expect(selectors(contracts.tunnel)).toContain(toFunctionSelector('deposit(bytes32,uint32,uint32,uint64,address,bytes)'));
  expect(selectors(contracts.tunnel)).toContain(toFunctionSelector('spend(bytes32,uint64,uint16,uint64,bytes32)'));
});
