import { COUNTING_DEPTH, counts, displayBytes, equal, hashAbbreviated, hashKeystone, readPopScript, toDisplay, toKeystoneId } from '@hemid/protocol';
import { verifyInclusion } from './bitcoin-inclusion.ts';
import { fail } from './errors.ts';
import { type HeaderRun, placeOf } from './header-run.ts';
import type { BitcoinInclusion } from './proof.ts';
import type { AnchorLink } from './provenance.ts';
import type { ProvenBlocks } from './verify-blocks.ts';

/** Checks that Bitcoin holds the keystone, by the counting rule and `needed` blocks deep; @throws `provenance/anchor`. */
export function verifyAnchor(
  part: BitcoinInclusion,
  run: HeaderRun,
  { blocks, needed }: { blocks: ProvenBlocks; needed: number },
): { anchor: AnchorLink; keystoneId: string } {
  const refuse = (why: string): Error => fail('provenance/anchor', `anchor: ${why}`);
  const { header, hash } = blocks.keystone;
  const named = displayBytes(header.extraData);
  const height = run.heightOf(named);
  if (height === undefined) throw refuse(`the Bitcoin block that keystone block ${header.number} is built on is not among the Bitcoin headers`);
  const id = hashKeystone({
    version: 1,
    l1BlockNumber: height,
    l2BlockNumber: Number(header.number),
    parentHash: header.parentHash,
    previousKeystoneHash: blocks.previousKeystoneHash,
    stateRoot: header.stateRoot,
    blockHash: hash,
  });
  const transaction = verifyInclusion(part, run, 'anchor');
  const publishes = transaction.outputs.some(({ script }) => {
    const published = readPopScript(script);
    return published !== undefined && equal(hashAbbreviated(published), id);
  });
  if (!publishes) throw refuse(`the Bitcoin transaction does not publish keystone ${header.number}`);
  if (!counts(part, { hash: named, height })) {
    throw refuse(
      `the publication at height ${part.height} does not count: keystone ${header.number} sees Bitcoin up to height ${height}, and only the ${COUNTING_DEPTH} blocks above that count`,
    );
  }
  const place = placeOf(part.height, run);
  const anchor = { txid: toDisplay(transaction.txid), ...place, blockHash: toDisplay(place.blockHash) };
  if (anchor.confirmations < needed) throw refuse(`the publication has ${anchor.confirmations} confirmations, ${needed} are asked for`);
  return { anchor, keystoneId: toKeystoneId(id) };
}
