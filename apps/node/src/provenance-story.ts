import type { AnchoredLinks, Provenance } from '@hemid/provenance';

/** A provenance as a node reports it or a verification ends with it. */
export interface Told extends Provenance {
  missing?: string | null;
  doesNotProve?: string[];
}

/** A heading with place, time and confirmations, and lines about it. */
type Step = [string, ...string[]];

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC');
const sats = (value: number): string => `${value.toLocaleString('en-US')} sats`;
const count = (value: number, what: string): string => `${value} ${what}${value === 1 ? '' : 's'}`;

/** An L2 block stands as deep in Bitcoin as the publication above it (protocol section 8). */
const depthOf = ({ anchor }: AnchoredLinks): string =>
  anchor === undefined ? 'not anchored in Bitcoin yet' : `${count(anchor.confirmations, 'confirmation')} by its anchor`;

/** An L2 block, what it did, and what anchors it. */
function* stepsOf(links: AnchoredLinks, { deed, about }: { deed: string; about: string[] }): Generator<Step> {
  const { block, transaction, keystone, anchor } = links;
  if (block !== undefined) {
    yield [
      `${deed} L2 block ${block.number}, ${timeOf(block.time)}, ${depthOf(links)}`.trim(),
      ...about,
      ...(transaction === undefined
        ? []
        : [`transaction ${transaction.hash}, index ${transaction.index}, ${transaction.succeeded ? 'succeeded' : 'failed'}`]),
      `block ${block.hash}, built on Bitcoin block ${block.bitcoinTip}`,
    ];
  }
  if (keystone !== undefined) {
    yield [
      `held by the state of keystone block ${keystone.number}, ${timeOf(keystone.time)}, ${depthOf(links)}`,
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
}

/** What the first L2 block did, and lines about it. */
function deedOf({ lock, transaction, withdrawal }: Told): { deed: string; about: string[] } {
  if (lock !== undefined) {
    return {
      deed: 'credited in',
      about: [`${sats(lock.sats)} for ${lock.recipient}${lock.credit === 'claimable' ? ', who may claim them from the Tunnel' : ''}`],
    };
  }
  const requests = withdrawal === undefined ? (transaction?.requests ?? []) : [withdrawal];
  const about = requests.map(
    (request) =>
      `${withdrawal === undefined ? `withdrawal ${request.id}: ` : ''}${sats(request.sats)} for ${request.address}, ${sats(request.feeSats)} of them for the Bitcoin fee`,
  );
  return { deed: withdrawal !== undefined ? 'requested in' : transaction !== undefined ? 'executed in' : '', about };
}

function* linksOf(told: Told): Generator<Step> {
  const { lock, payment, settlement, bitcoin } = told;
  if (lock !== undefined) {
    yield [
      `locked in Bitcoin block ${lock.height}, ${timeOf(lock.time)}, ${count(lock.confirmations, 'confirmation')}`,
      `transaction ${lock.txid}, output ${lock.vout}, pays the vault`,
      `block ${lock.blockHash}`,
    ];
  }
  yield* stepsOf(told, deedOf(told));
  if (payment !== undefined) {
    const { anchorConfirmations: before } = payment;
    yield [
      `paid in Bitcoin block ${payment.height}, ${timeOf(payment.time)}, ${count(payment.confirmations, 'confirmation')}`,
      `transaction ${payment.txid}, output ${payment.vout}, pays ${sats(payment.sats)}`,
      before < 0 ? 'before the request was anchored' : `when the anchor of the request had ${count(before, 'confirmation')}`,
      `block ${payment.blockHash}`,
    ];
  }
  if (settlement !== undefined) yield* stepsOf(settlement, { deed: 'settled in', about: [] });
  if (bitcoin !== undefined) {
    yield [
      `counted up to Bitcoin block ${bitcoin.tip.height}, ${timeOf(bitcoin.tip.time)}`,
      `block ${bitcoin.tip.hash}`,
      `2^${bitcoin.workBits} hashes of work on block ${bitcoin.checkpoint.height}, ${bitcoin.checkpoint.hash}`,
    ];
  }
}

/** Where something comes from, or went, to be read from the top. */
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
