import { type Deposit, hashTransaction, type L2Header, toDigits, toDisplay, toHex } from '@hemid/protocol';

/** A Bitcoin block, in words: hashes of Bitcoin are in display order here, times in seconds. */
export interface BitcoinPlace {
  height: number;
  blockHash: string;
  time: number;
  /** Of a lock as Bitcoin counts them, the block itself included; of a publication the blocks on top of it (protocol section 8). */
  confirmations: number;
}

/** A transaction that pays the vault. */
export interface LockLink extends BitcoinPlace {
  txid: string;
  /** Its first vault output. */
  vout: number;
  /** What is credited: the vault outputs less the deposit fee. */
  sats: number;
  recipient: string;
  /** Whether the recipient took the coins, or may still claim them from the Tunnel; not there while it is not credited. */
  credit?: 'paid' | 'claimable';
}

/** The L2 block that is proven. */
export interface BlockLink {
  number: number;
  hash: string;
  time: number;
  /** Hash of the Bitcoin block that it is built on. */
  bitcoinTip: string;
}

/** A transaction in that block. */
export interface TransactionLink {
  hash: string;
  index: number;
  succeeded: boolean;
}

/** The keystone block above it. */
export interface KeystoneLink {
  number: number;
  hash: string;
  /** sha256d of its abbreviation, display order. */
  id: string;
  time: number;
  /** Address of the sequencer that sealed it. */
  sealedBy: string;
}

/** The transaction that publishes the keystone. */
export interface AnchorLink extends BitcoinPlace {
  txid: string;
}

/** The Bitcoin headers between. */
export interface BitcoinLink {
  checkpoint: { height: number; hash: string };
  tip: { height: number; hash: string; time: number };
  /** Expected hashes behind the headers above the checkpoint, as a power of two. */
  workBits: number;
}

/** Where something comes from, link by link, as plain JSON: only the links that stand are there. */
export interface Links {
  lock?: LockLink;
  block?: BlockLink;
  transaction?: TransactionLink;
  keystone?: KeystoneLink;
  anchor?: AnchorLink;
  bitcoin?: BitcoinLink;
}

/** {@link Links} and what they are about. */
export interface Provenance extends Links {
  subject: { kind: 'deposit' | 'transaction' | 'block'; id: string };
}

/** A provenance of which every link was checked. */
export type ProvenProvenance = Provenance & Required<Pick<Provenance, 'block' | 'keystone' | 'anchor' | 'bitcoin'>> & { doesNotProve: string[] };

/** The lock of a deposit. */
export function showLock(
  { txid, vout, sats, recipient }: Deposit,
  { blockHash, ...place }: Omit<BitcoinPlace, 'blockHash'> & { blockHash: Uint8Array },
): LockLink {
  return { txid: toDisplay(txid), vout, sats: Number(sats), recipient: toHex(recipient), blockHash: toDisplay(blockHash), ...place };
}

/** The block of what is proven. */
export function showBlock({ header, hash }: { header: L2Header; hash: Uint8Array }): BlockLink {
  return { number: Number(header.number), hash: toHex(hash), time: Number(header.timestamp), bitcoinTip: toDigits(header.extraData) };
}

/** A keystone block. */
export function showKeystone(
  { header, hash }: { header: L2Header; hash: Uint8Array },
  { id, sealedBy }: { id: string; sealedBy: Uint8Array },
): KeystoneLink {
  return { number: Number(header.number), hash: toHex(hash), id, time: Number(header.timestamp), sealedBy: toHex(sealedBy) };
}

/** A transaction by its envelope. */
export function showTransaction(raw: Uint8Array, place: { index: number; succeeded: boolean }): TransactionLink {
  return { hash: toHex(hashTransaction(raw)), ...place };
}

/** What links are about: the first of them. */
export function subjectOf({ lock, transaction, block }: Links): Provenance['subject'] {
  if (lock !== undefined) return { kind: 'deposit', id: lock.txid };
  return transaction !== undefined ? { kind: 'transaction', id: transaction.hash } : { kind: 'block', id: block?.hash ?? '' };
}
