import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { createPopWallet, encryptKeystore, type MinerBitcoin, type PopWallet, toPopSecret } from '@hemid/pop-miner';
import { isHemidError, toHex } from '@hemid/protocol';
import type { Clock, Random, Secret } from '@hemid/runtime';
import { renderUnicodeCompact } from 'uqr';
import type { InitConfig } from './config.ts';
import { fail } from './errors.ts';
import { readNewPassword } from './key.ts';
import type { AskSecret } from './prompt.ts';

export interface InitDeps {
  ask: AskSecret;
  clock: Clock;
  random: Random;
  /** Prints a text as it is. */
  write: (text: string) => void;
  /** Bitcoin, as the new wallet sees it. */
  connect: (wallet: PopWallet) => MinerBitcoin;
}

/**
 * `popmd init`: makes a key, keeps it in a new encrypted keystore that its owner alone may read, shows where to send
 * bitcoin, and waits for it.
 *
 * @throws `popmd/key` without a file, `popmd/keystore-exists`, `popmd/password`.
 */
export async function runInit(config: InitConfig, { ask, clock, random, write, connect }: InitDeps): Promise<void> {
  const path = readTarget(config);
  const password = await readNewPassword(config, ask);
  const secret = makeSecret(random);
  const wallet = createPopWallet(secret, { network: config.bitcoinNetwork, kind: config.addressType });
  writeNew(path, await encryptKeystore(secret, { password, random }));
  write(describeWallet(wallet, { config, path }));
  if (!config.noWait) await waitForFunds(connect(wallet), { wallet, config, clock, write });
}

function readTarget({ keystore, bitcoinSecret, bitcoinSecretFile, mnemonicFile }: InitConfig): string {
  if (keystore === undefined) throw fail('popmd/key', 'popmd init needs --keystore, the file that it writes the new key to');
  if (bitcoinSecret !== undefined || bitcoinSecretFile !== undefined || mnemonicFile !== undefined) {
    throw fail('popmd/key', 'popmd init makes a new key: POPM_BITCOIN_SECRET, --bitcoin-secret-file and --mnemonic-file must not be given');
  }
  const path = resolve(keystore);
  if (existsSync(path)) throw fail('popmd/keystore-exists', `${path} is there already, and is not overwritten`);
  return path;
}

function makeSecret(random: Random): Secret<Uint8Array> {
  for (;;) {
    try {
      return toPopSecret(random.bytes(32));
    } catch (error) {
      // One number in 2^128 is no key.
      if (!isHemidError(error, 'pop-miner/secret')) throw error;
    }
  }
}

/** Writes a file that must not be there, and does not return before it is on the disk: it will hold money. */
function writeNew(path: string, text: string): void {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw fail('popmd/keystore-exists', `cannot create ${path}: ${(cause as Error).message}`, { cause });
  }
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
}

function describeWallet({ address, miner }: PopWallet, { config, path }: { config: InitConfig; path: string }): string {
  const uri = `bitcoin:${address}`;
  return `
The new key is in ${path}, locked with your password.
Keep a copy of both: without them neither bitcoin nor rewards can ever be moved.

  network  ${config.bitcoinNetwork}
  pays     ${address}  (${config.addressType})
  earns    ${toHex(miner)}

Send it some bitcoin:

  ${uri}

${renderUnicodeCompact(uri, { border: 2 })}

`;
}

async function waitForFunds(
  bitcoin: MinerBitcoin,
  { wallet, config, clock, write }: { wallet: PopWallet; config: InitConfig; clock: Clock; write: (text: string) => void },
): Promise<void> {
  const next = `popmd run --keystore ${config.keystore} --bitcoin-network ${config.bitcoinNetwork} --address-type ${config.addressType}`;
  try {
    await bitcoin.checkNetwork(config.bitcoinNetwork);
  } catch (error) {
    if (!isHemidError(error)) throw error;
    write(`Nobody can be asked whether it came (${error.message}).\nThen: ${next}\n`);
    return;
  }
  write('Waiting for it to be confirmed (Ctrl-C ends the waiting, the key is kept) …\n');
  let trouble: string | undefined;
  for (;;) {
    try {
      const { coins, tipHeight } = await bitcoin.look([]);
      const sats = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n);
      if (sats > 0n) return write(`${sats} sats are at ${wallet.address} as of block ${tipHeight}.\nNow: ${next}\n`);
      trouble = undefined;
    } catch (error) {
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      if (trouble !== error.message) write(`${error.message}\n`);
      trouble = error.message;
    }
    await clock.sleep(config.pollMs);
  }
}
