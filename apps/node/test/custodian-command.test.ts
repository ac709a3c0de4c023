import { fileURLToPath } from 'node:url';
import { descriptorChecksum, toDigits } from '@hemid/protocol';
import { loadConfig } from '@hemid/runtime';
import { expect, test } from 'vitest';
import { custodianConfig } from '../src/config.ts';
import { runCustodian } from '../src/custodian-command.ts';
import { devKey } from '../src/dev-key.ts';

const CHAIN = fileURLToPath(new URL('../../../configs/regtest.json', import.meta.url));
const keys = [1, 2, 3].map((i) => toDigits(devKey(`custodian ${i}`).publicKey));
const good: Record<string, string> = {
  chain: CHAIN,
  data: '/nowhere/hemid',
  upstream: 'http://127.0.0.1:1',
  bitcoind: 'http://127.0.0.1:1',
  'vault-keys': keys.join(','),
  'vault-required': '2',
  'custodian-key': toDigits(devKey('custodian 1').secret),
  'exchange-folder': '/nowhere/files',
};

/** How `hemid custodian` ends with these options, `undefined` for one that is left out. */
async function end(change: Record<string, string | undefined>): Promise<string> {
  const options = Object.entries({ ...good, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    const argv = options.flatMap(([name, value]) => [`--${name}`, value]);
    await runCustodian(loadConfig(custodianConfig, { argv, env: {}, envPrefix: 'HEMID' }));
  } catch (error) {
    return (error as Error).message;
  }
  return 'it ran';
}

test('hemid custodian refuses what cannot be, before it opens anything', async () => {
  expect(await end({ 'vault-keys': keys.slice(0, 2).join(',') })).toMatch(/is no vault of .*regtest\.json/);
  expect(await end({ 'vault-required': '3' })).toMatch(/is no vault of/);
  expect(await end({ 'vault-required': '4' })).toMatch(/is 4, but there are 3 keys/);
  const byDescriptor = (vault: string) => end({ 'vault-keys': undefined, 'vault-required': undefined, vault });
  const tr = `tr(${keys[0]},sortedmulti_a(2,${keys.join(',')}))`;
  expect(await byDescriptor(`${tr}#${descriptorChecksum(tr)}`)).toMatch(/describe, bcrt1p\w+, is no vault of/);
  expect(await byDescriptor(tr)).toMatch(/its checksum is missing/);
  expect(await end({ vault: tr })).toMatch(/say which vault/);
  expect(await end({ 'vault-required': undefined })).toMatch(/say which vault/);
  const right = `wsh(sortedmulti(2,${keys.join(',')}))`;
  const foreign = { 'vault-keys': undefined, 'vault-required': undefined, 'custodian-key': 'ab'.repeat(32) };
  expect(await end({ ...foreign, vault: `${right}#${descriptorChecksum(right)}` })).toMatch(/none of the vault/);
  expect(await end({ 'vault-keys': 'abc' })).toMatch(/public keys of 66 hex digits/);
  expect(await end({ 'custodian-key': undefined })).toMatch(/custodian key is missing/);
  expect(await end({ 'custodian-key': 'ab'.repeat(32) })).toMatch(/none of the vault/);
  expect(await end({ 'exchange-folder': undefined })).toMatch(/give --peers, --exchange-folder or both/);
  expect(await end({ peers: 'http://127.0.0.1:1' })).toMatch(/exchange secret is missing/);
});
