import { type ChainSpec, displayBytes } from '@hemid/protocol';
import type { HeaderRun } from './header-run.ts';
import type { AnchoredBlock } from './proof.ts';
import { type AnchoredLinks, showBlock, showKeystone, showTransaction } from './provenance.ts';
import { verifyAnchor } from './verify-anchor.ts';
import { decode, type ProvenHeader, type ProvenTransaction, verifyBlocks, verifySeal, verifyTransaction } from './verify-blocks.ts';

/** What the part of a proof from an L2 block up to its anchor shows. */
export interface ProvenAnchored {
  block: ProvenHeader;
  shown: ProvenTransaction | undefined;
  links: Required<Pick<AnchoredLinks, 'block' | 'keystone' | 'anchor'>> & AnchoredLinks;
}

/** What an L2 block is checked against: the spec, and how deep its anchor must be. */
export interface AnchorTerms {
  spec: ChainSpec;
  /** Bitcoin blocks on the publication. */
  needed: number;
}

/**
 * Checks an L2 block, with a transaction of it if there is one, up to the publication of a keystone above it.
 *
 * @throws `provenance/block`, `…/seal` or `…/anchor`: the link that does not hold.
 */
export function verifyAnchored(part: AnchoredBlock, run: HeaderRun, { spec, needed }: AnchorTerms): ProvenAnchored {
  const { inclusion } = part;
  const blocks = verifyBlocks(part, spec);
  const shown = inclusion && verifyTransaction(inclusion, blocks.block);
  const { anchor, keystoneId } = verifyAnchor(part.anchor, run, { blocks, needed });
  const keystone = showKeystone(blocks.keystone, { id: keystoneId, sealedBy: verifySeal(blocks.keystone, part.seal, spec) });
  return {
    block: blocks.block,
    shown,
    links: {
      block: showBlock(blocks.block),
      ...(shown && { transaction: decode(() => showTransaction(shown.raw, { ...shown, spec })) }),
      keystone,
      anchor,
    },
  };
}

/** How many confirmations a Bitcoin block had where an L2 block sees Bitcoin; `undefined` when what it sees is not on the run. */
export function confirmationsSeen({ header }: ProvenHeader, run: HeaderRun, height: number): number | undefined {
  const tip = run.heightOf(displayBytes(header.extraData));
  return tip === undefined ? undefined : tip - height + 1;
}
