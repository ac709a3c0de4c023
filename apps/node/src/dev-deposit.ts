import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BitcoinRpc, createBitcoindRpc, pay } from '@hemid/bitcoin';
import { encodeRecipient, fromHex, toDisplay } from '@hemid/protocol';
import { devKey, devVaultScript } from './dev-key.ts';
import { fail } from './errors.ts';

const FEE_RATE = 2;
const RPC_TIMEOUT_MS = 30_000;

/** Where a running development network can be reached: `<data>/dev.json`. */
export interface DevEndpoints {
  rpc: string;
  bitcoin: string;
  bitcoinCookie?: string;
}

/** Pays the vault of a development network from the miner's key; @returns the txid, display order. */
export async function payVault(rpc: BitcoinRpc, { recipient, sats }: { recipient: Uint8Array; sats: bigint }): Promise<string> {
  const outputs = [
    { script: devVaultScript(), valueSats: sats },
    { script: encodeRecipient({ address: recipient, payload: new Uint8Array() }), valueSats: 0n },
  ];
  return toDisplay(await pay(rpc, { secret: devKey('miner').secret, outputs, feeRate: FEE_RATE }));
}

/** `hemid dev deposit ADDRESS SATS`, beside a running `hemid dev`. */
export async function runDevDeposit(args: readonly string[], dataDirectory: string): Promise<string> {
  const [address = '', sats = ''] = args;
  if (!/^0x[0-9a-fA-F]{40}$/.test(address) || !/^[1-9][0-9]*$/.test(sats)) {
    throw fail('node/config', 'usage: hemid dev deposit <0x address> <satoshis> [--data DIR]');
  }
  const file = join(dataDirectory, 'dev.json');
  let endpoints: DevEndpoints;
  try {
    endpoints = JSON.parse(readFileSync(file, 'utf8')) as DevEndpoints;
  } catch (cause) {
    throw fail('node/config', `no development network runs here: ${file} cannot be read. Start one with npm start`, { cause });
  }
  const { bitcoin, bitcoinCookie } = endpoints;
  const rpc = createBitcoindRpc({ url: bitcoin, timeoutMs: RPC_TIMEOUT_MS, ...(bitcoinCookie === undefined ? {} : { cookieFile: bitcoinCookie }) });
  const txid = await payVault(rpc, { recipient: fromHex(address), sats: BigInt(sats) });
  return `Bitcoin transaction ${txid} pays the vault ${sats} sats for ${address}: credited, less the fee, when six Bitcoin blocks confirm it`;
}
