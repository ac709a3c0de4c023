import { type Address, type Hex, padHex } from 'viem';
import { tunnel } from '../src/index.ts';
import { type Outcome, type PredeployChain, TUNNEL } from './predeploy-chain.ts';

/** Gas limit of a deposit and of a vault spend without requests, as the node sends them (protocol section 10). */
export const DEPOSIT_GAS = 250_000n;
export const SPEND_GAS = 150_000n;

/** A txid that does not repeat within 256 of them; no zero byte, so its calldata costs the most. */
export function toTxid(number: number): Hex {
  return padHex(`0x${(number + 1).toString(16).padStart(2, '0')}`, { size: 32 }).replaceAll('00', 'b7') as Hex;
}

export interface Deposit {
  recipient: Address;
  txid?: Hex;
  sats?: bigint;
  payload?: Hex;
  value?: bigint;
  gas?: bigint;
}

/** Sends the system transaction of one Bitcoin deposit. */
export function deposit(chain: PredeployChain, options: Deposit): Promise<Outcome> {
  const { recipient, txid = toTxid(1), sats = 75_000n, payload = '0x' } = options;
  return chain.system({
    to: TUNNEL,
    abi: tunnel.abi,
    name: 'deposit',
    args: [txid, 1, 900_000, sats, recipient, payload],
    value: options.value ?? sats * 10n ** 10n,
    gas: options.gas ?? DEPOSIT_GAS,
  });
}

/** Wei that an address may claim from Tunnel. */
export function claimable(chain: PredeployChain, recipient: Address): Promise<bigint> {
  return chain.read(TUNNEL, tunnel.abi, 'claimable', [recipient]);
}
