import { keccak_256 } from '@noble/hashes/sha3.js';
import { scriptToAddress } from './bitcoin-address.ts';
import { displayBytes } from './bitcoin-hash.ts';
import { concat, fromBigEndian, toBigEndian } from './bytes.ts';
import { type ActiveRules, type ChainSpec, rulesAt } from './chain-spec.ts';
import { TUNNEL_ADDRESS } from './predeploy.ts';

/** A storage slot of Tunnel and the word that the executor puts there. */
export interface ConfigurationSlot {
  address: Uint8Array;
  slot: Uint8Array;
  /** 32 bytes. */
  value: Uint8Array;
}

const slotOf = (name: string, ...more: Uint8Array[]): Uint8Array => keccak_256(concat(new TextEncoder().encode(name), ...more));
const word = (value: bigint | number): Uint8Array => toBigEndian(value, 32);

/** Tunnel slot that is 1 once an upgrade cleared the breach by a Bitcoin transaction (txid in internal order). */
export function clearedSlot(txid: Uint8Array): Uint8Array {
  return slotOf('hemid.cleared', displayBytes(txid));
}

/** The four slots of vault `i`: hash of its script, length of its address, the address in two words. */
function vaultSlots(i: number, script: Uint8Array, address: string): [slot: Uint8Array, value: Uint8Array][] {
  const first = fromBigEndian(slotOf('hemid.vault', toBigEndian(i, 8)));
  const text = concat(new TextEncoder().encode(address), new Uint8Array(64 - address.length));
  const values = [keccak_256(script), word(address.length), text.slice(0, 32), text.slice(32)];
  return values.map((value, offset) => [word(BigInt.asUintN(256, first + BigInt(offset))), value]);
}

/** What Tunnel knows of the rules in force (protocol section 10; contracts/README.md lists the slots). */
function configurationOf({ vaults, limits }: Pick<ActiveRules, 'vaults' | 'limits'>, spec: ChainSpec): [slot: Uint8Array, value: Uint8Array][] {
  return [
    [slotOf('hemid.vault.count'), word(vaults.length)],
    ...vaults.flatMap((script, i) => vaultSlots(i, script, scriptToAddress(script, spec.genesis.bitcoin.network) as string)),
    [slotOf('hemid.withdrawal.fee'), word(limits.withdrawalFeeSats)],
    [slotOf('hemid.withdrawal.minimum'), word(limits.minimumWithdrawalSats)],
  ];
}

const toWrites = (slots: readonly [slot: Uint8Array, value: Uint8Array][]): ConfigurationSlot[] =>
  slots.map(([slot, value]) => ({ address: TUNNEL_ADDRESS, slot, value }));

/** Tunnel's configuration at the genesis, where no upgrade applies. */
export function genesisConfiguration(spec: ChainSpec): ConfigurationSlot[] {
  return toWrites(configurationOf(rulesAt({ ...spec, upgrades: [] }, 0n), spec));
}

/**
 * What the executor writes before the first transaction of a block: Tunnel's configuration, and the breaches cleared, if
 * an upgrade applies to this block that did not apply to its parent. None does to the genesis, whatever its time.
 */
export function configurationChanges(
  spec: ChainSpec,
  block: { parent: { number: bigint; timestamp: bigint }; timestamp: bigint },
): ConfigurationSlot[] {
  const { parent, timestamp } = block;
  const news = spec.upgrades.filter(
    (one) => BigInt(one.timestamp) <= timestamp && (parent.number === 0n || BigInt(one.timestamp) > parent.timestamp),
  );
  if (news.length === 0) return [];
  const cleared = news.flatMap(({ clearBreach }) => (clearBreach === undefined ? [] : [clearBreach]));
  return toWrites([
    ...configurationOf(rulesAt(spec, timestamp), spec),
    ...cleared.map((txid): [Uint8Array, Uint8Array] => [clearedSlot(txid), word(1)]),
  ]);
}
