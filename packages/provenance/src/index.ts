export { type BuiltProof, buildProof, type ProofOptions } from './build-proof.ts';
export type { BitcoinLog, ChainLog, HistoryProof, L2Place, ProvenanceDeps, WithdrawalState } from './ports.ts';
export {
  type AnchoredBlock,
  type BitcoinInclusion,
  decodeProof,
  encodeProof,
  PROOF_FORMAT,
  type Proof,
  proofFromJson,
  type WithdrawalPart,
} from './proof.ts';
export type {
  AnchoredLinks,
  AnchorLink,
  BitcoinLink,
  BitcoinPlace,
  BlockLink,
  KeystoneLink,
  Links,
  LockLink,
  PaymentLink,
  Provenance,
  ProvenProvenance,
  TransactionLink,
  WithdrawalLink,
} from './provenance.ts';
export type { SubjectId } from './subject.ts';
export { type VerifyOptions, verifyProof } from './verify-proof.ts';
