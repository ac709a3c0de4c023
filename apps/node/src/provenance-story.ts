import type { Provenance } from '@hemid/provenance';

/** A provenance as a node reports it or a verification ends with it. */
export interface Told extends Provenance {
  missing?: string | null;
  doesNotProve?: string[];
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC');
const sats = (value: number): string => `${value.toLocaleString('en-US')} sats`;
const count = (value: number, what: string): string => `${value} ${what}${value === 1 ? '' : 's'}`;

/** The links, each a heading with place, time and confirmations, and lines about it. */
function* linksOf({ lock, block, transaction, keystone, anchor, bitcoin }: Told): Generator<[string, ...string[]]> {
  // An L2 block stands as deep in Bitcoin as the publication above it (protocol section 8).
  const depth = anchor === undefined ? 'not anchored in Bitcoin yet' : `${count(anchor.confirmations, 'confirmation')} by its anchor`;
  if (lock !== undefined) {
    yield [
      `locked in Bitcoin block ${lock.height}, ${timeOf(lock.time)}, ${count(lock.confirmations, 'confirmation')}`,
      `transaction ${lock.txid}, output ${lock.vout}, pays the vault`,
      `block ${lock.blockHash}`,
    ];
  }
  if (block !== undefined) {
    const what = lock !== undefined ? 'credited in' : transaction !== undefined ? 'executed in' : '';
    yield [
      `${what} L2 block ${block.number}, ${timeOf(block.time)}, ${depth}`.trim(),
      ...(lock === undefined
        ? []
        : [`${sats(lock.sats)} for ${lock.recipient}${lock.credit === 'claimable' ? ', who may claim them from the Tunnel' : ''}`]),
      ...(transaction === undefined
        ? []
        : [`transaction ${transaction.hash}, index ${transaction.index}, ${transaction.succeeded ? 'succeeded' : 'failed'}`]),
      `block ${block.hash}, built on Bitcoin block ${block.bitcoinTip}`,
    ];
  }
  if (keystone !== undefined) {
    yield [
      `held by the state of keystone block ${keystone.number}, ${timeOf(keystone.time)}, ${depth}`,
      `block ${keystone.hash}, sealed by ${keystone.sealedBy}`,
      `keystone ${keystone.id}`,
    ];
  }
  if (anchor !== undefined) {
    yield [
      `anchored in Bitcoin block ${anchor.height}, ${timeOf(anchor.time)}, ${count(anchor.confirmations, 'confirmation')}`,
      `transaction ${anchor.txid} publishes the keystone`,
      `block ${anchor.blockHash}`,
    ];
  }
  if (bitcoin !== undefined) {
    yield [
      `counted up to Bitcoin block ${bitcoin.tip.height}, ${timeOf(bitcoin.tip.time)}`,
      `block ${bitcoin.tip.hash}`,
      `2^${bitcoin.workBits} hashes of work on block ${bitcoin.checkpoint.height}, ${bitcoin.checkpoint.hash}`,
    ];
  }
}

/** Where something comes from, to be read from the top. */
export function tellProvenance(told: Told): string {
  const lines = [`${told.subject.kind} ${told.subject.id}`, ''];
  let step = 0;
  for (const [heading, ...details] of linksOf(told)) {
    step += 1;
    lines.push(`${step}. ${heading}`, ...details.map((detail) => `   ${detail}`));
  }
  if (typeof told.missing === 'string') lines.push('', `no proof yet: ${told.missing}`);
  if (told.doesNotProve !== undefined) lines.push('', 'this does not prove', ...told.doesNotProve.map((what) => `- ${what}`));
  return lines.join('\n');
}
