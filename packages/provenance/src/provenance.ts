import { type ChainSpec, type Deposit, hashTransaction, type L2Header, scriptToAddress, toDigits, toDisplay, toHex } from '@hemid/protocol';
import type { ProvenReceipt } from './consensus-receipt.ts';
import { readRequests, type WithdrawalRequest } from './withdrawal-request.ts';

/** A Bitcoin block, in words: hashes of Bitcoin are in display order here, times in seconds. */
export interface BitcoinPlace {
  height: number;
  blockHash: string;
  time: number;
  /** Of a lock and of a payment as Bitcoin counts them, the block itself included; of a publication the blocks on top of it (protocol section 8). */
  confirmations: number;
}

/** A {@link BitcoinPlace} before it is put into words. */
export type FoundPlace = Omit<BitcoinPlace, 'blockHash'> & { blockHash: Uint8Array };

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
  /** The withdrawals that it requests; not there when there are none. */
  requests?: WithdrawalLink[];
}

/** A request to be paid in Bitcoin. */
export interface WithdrawalLink {
  id: number;
  /** Taken on L2; the payment is this less `feeSats`. */
  sats: number;
  feeSats: number;
  script: string;
  /** Of that script. */
  address: string;
}

/** The Bitcoin transaction that pays a withdrawal. */
export interface PaymentLink extends BitcoinPlace {
  txid: string;
  /** The output that pays it. */
  vout: number;
  sats: number;
  /** Blocks on the anchor of the request when it was paid, the payment's own not counted; below 0 where it was paid before. */
  anchorConfirmations: number;
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

/** An L2 block, a transaction of it, and the anchor above it. */
export interface AnchoredLinks {
  block?: BlockLink;
  transaction?: TransactionLink;
  keystone?: KeystoneLink;
  anchor?: AnchorLink;
}

/** The Bitcoin headers between. */
export interface BitcoinLink {
  checkpoint: { height: number; hash: string };
  tip: { height: number; hash: string; time: number };
  /** Expected hashes behind the headers above the checkpoint, as a power of two. */
  workBits: number;
}

/** Where something comes from, link by link, as plain JSON: only the links that stand are there. */
export interface Links extends AnchoredLinks {
  lock?: LockLink;
  /** Of a withdrawal: what the transaction requests, its payment, and where that was settled. */
  withdrawal?: WithdrawalLink;
  payment?: PaymentLink;
  settlement?: AnchoredLinks;
  bitcoin?: BitcoinLink;
}

/** {@link Links} and what they are about. */
export interface Provenance extends Links {
  subject: { kind: 'deposit' | 'withdrawal' | 'transaction' | 'block'; id: string };
}

/** A provenance of which every link was checked. */
export type ProvenProvenance = Provenance & Required<Pick<Provenance, 'block' | 'keystone' | 'anchor' | 'bitcoin'>> & { doesNotProve: string[] };

/** The lock of a deposit. */
export function showLock({ txid, vout, sats, recipient }: Deposit, { blockHash, ...place }: FoundPlace): LockLink {
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

/** A request to withdraw. */
export function showRequest({ id, sats, feeSats, script }: WithdrawalRequest, { genesis }: ChainSpec): WithdrawalLink {
  const address = scriptToAddress(script, genesis.bitcoin.network) ?? '';
  return { id: Number(id), sats: Number(sats), feeSats: Number(feeSats), script: toHex(script), address };
}

/** The payment of a request: an output of a Bitcoin transaction. */
export function showPayment(
  { sats, feeSats }: WithdrawalRequest,
  { txid, vout, place, anchorHeight }: { txid: Uint8Array; vout: number; place: FoundPlace; anchorHeight: number },
): PaymentLink {
  return {
    txid: toDisplay(txid),
    vout,
    sats: Number(sats - feeSats),
    ...place,
    blockHash: toDisplay(place.blockHash),
    anchorConfirmations: place.height - 1 - anchorHeight,
  };
}

/** A transaction by its envelope, with what its receipt says. */
export function showTransaction(
  raw: Uint8Array,
  { index, receipt, spec }: { index: number; receipt: Pick<ProvenReceipt, 'succeeded' | 'logs'>; spec: ChainSpec },
): TransactionLink {
  const requests = readRequests(receipt).map((request) => showRequest(request, spec));
  return { hash: toHex(hashTransaction(raw)), index, succeeded: receipt.succeeded, ...(requests.length > 0 && { requests }) };
}

/** What links are about: the first of them. */
export function subjectOf({ lock, withdrawal, transaction, block }: Links): Provenance['subject'] {
  if (lock !== undefined) return { kind: 'deposit', id: lock.txid };
  if (withdrawal !== undefined) return { kind: 'withdrawal', id: String(withdrawal.id) };
  return transaction !== undefined ? { kind: 'transaction', id: transaction.hash } : { kind: 'block', id: block?.hash ?? '' };
}
