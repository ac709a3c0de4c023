export { type BuiltProof, buildProof } from './build-proof.ts';
export type { BitcoinLog, ChainLog, L2Place, ProvenanceDeps } from './ports.ts';
export { type BitcoinInclusion, decodeProof, encodeProof, PROOF_FORMAT, type Proof, proofFromJson } from './proof.ts';
export type {
  AnchorLink,
  BitcoinLink,
  BitcoinPlace,
  BlockLink,
  KeystoneLink,
  Links,
  LockLink,
  Provenance,
  ProvenProvenance,
  TransactionLink,
} from './provenance.ts';
export type { SubjectId } from './subject.ts';
export { type VerifyOptions, verifyProof } from './verify-proof.ts';
