export { anchorFollower } from './anchor-follower.ts';
export { type AnchorDeps, type AnchorReader, createAnchorReader } from './anchors.ts';
export { type BlockFinality, createFinality, type Finality, type FinalityDeps, type PublishedKeystone } from './finality.ts';
export { type PayoutStanding, payoutOf, standingOf } from './payout-amount.ts';
export { createPayoutDerivation } from './payout-derivation.ts';
export { type PayoutReport, reportPayout } from './payout-report.ts';
