import type { HeaderReader } from '@hemid/bitcoin';
import { type ChainSpec, type Keystone, toDisplay } from '@hemid/protocol';
import { bitcoinReference } from './block-rule.ts';
import { fail } from './errors.ts';
import type { PlacedL2Header } from './ports.ts';

/** Whether a block number is a keystone's (protocol section 6). */
export function isKeystone(spec: ChainSpec, number: bigint): boolean {
  return number > 0n && number % BigInt(spec.genesis.keystonePeriod) === 0n;
}

/**
 * The keystone of a block.
 *
 * @param ancestor gives ancestors of `block` by number.
 * @throws `chain/parent-unknown` (retry) when the Bitcoin header it names is not here.
 */
export function keystoneOf(spec: ChainSpec, headers: HeaderReader, block: PlacedL2Header, ancestor: (number: bigint) => PlacedL2Header): Keystone {
  const { header, hash } = block;
  const tip = headers.read(bitcoinReference(header));
  if (tip === undefined) {
    throw fail('chain/parent-unknown', `the Bitcoin header ${toDisplay(bitcoinReference(header))} of block ${header.number} is not known`);
  }
  const previous = header.number - BigInt(spec.genesis.keystonePeriod);
  return {
    version: 1,
    l1BlockNumber: tip.height,
    l2BlockNumber: Number(header.number),
    parentHash: header.parentHash,
    previousKeystoneHash: previous > 0n ? ancestor(previous).hash : new Uint8Array(32),
    stateRoot: header.stateRoot,
    blockHash: hash,
  };
}
