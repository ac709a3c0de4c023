import { readFileSync } from 'node:fs';
import { decryptKeystore, defaultPath, readMnemonic, readPopSecret } from '@hemid/pop-miner';
import { Secret } from '@hemid/runtime';
import type { PopmdConfig } from './config.ts';
import { fail } from './errors.ts';
import type { AskSecret } from './prompt.ts';

const SOURCES = {
  bitcoinSecret: 'POPM_BITCOIN_SECRET',
  bitcoinSecretFile: '--bitcoin-secret-file',
  keystore: '--keystore',
  mnemonicFile: '--mnemonic-file',
} as const satisfies Partial<Record<keyof PopmdConfig, string>>;

/**
 * The miner's key, from wherever the configuration has it.
 *
 * @throws `popmd/key` unless it is exactly one place, `popmd/password`, and what the format of the key throws.
 */
export async function readKey(config: PopmdConfig, ask: AskSecret): Promise<Secret<Uint8Array>> {
  const given = Object.entries(SOURCES).flatMap(([name, shown]) => (config[name as keyof typeof SOURCES] === undefined ? [] : [shown]));
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is given (popmd init makes one)' : `${given.join(' and ')} are given`;
    throw fail('popmd/key', `the key must come from one of ${Object.values(SOURCES).join(', ')}: ${found}`);
  }
  const { bitcoinSecret, bitcoinSecretFile, keystore, mnemonicFile } = config;
  if (bitcoinSecret !== undefined) return bitcoinSecret;
  if (bitcoinSecretFile !== undefined) return readPopSecret(readText(bitcoinSecretFile).trim());
  if (keystore !== undefined) return decryptKeystore(readText(keystore), await readPassword(config, ask));
  const { mnemonicPath = defaultPath({ network: config.bitcoinNetwork, kind: config.addressType }) } = config;
  return readMnemonic(readText(mnemonicFile as string), mnemonicPath);
}

/** The password of an existing keystore. @throws `popmd/password` */
export async function readPassword(config: PopmdConfig, ask: AskSecret): Promise<Secret<string>> {
  const password = readGivenPassword(config) ?? (await ask(`Password of ${config.keystore}: `));
  if (password !== undefined) return password;
  throw fail('popmd/password', 'the keystore needs its password: --keystore-password-file, POPM_KEYSTORE_PASSWORD, or a terminal to ask at');
}

/** The password for a new keystore: as {@link readPassword}, but asked for twice. @throws `popmd/password` */
export async function readNewPassword(config: PopmdConfig, ask: AskSecret): Promise<Secret<string>> {
  const password = readGivenPassword(config) ?? (await askTwice(config, ask));
  if (password.reveal() === '') throw fail('popmd/password', 'an empty password protects nothing');
  return password;
}

async function askTwice(config: PopmdConfig, ask: AskSecret): Promise<Secret<string>> {
  const first = await readPassword(config, ask);
  const second = await ask('The same again: ');
  if (first.reveal() !== second?.reveal()) throw fail('popmd/password', 'the two passwords differ');
  return first;
}

function readGivenPassword({ keystorePassword, keystorePasswordFile }: PopmdConfig): Secret<string> | undefined {
  if (keystorePassword !== undefined && keystorePasswordFile !== undefined) {
    throw fail('popmd/password', 'both --keystore-password-file and POPM_KEYSTORE_PASSWORD are given');
  }
  if (keystorePasswordFile === undefined) return keystorePassword;
  return new Secret(readText(keystorePasswordFile).replace(/\r?\n$/, ''));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fail('popmd/key', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
