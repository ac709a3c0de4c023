import { equal, toDisplay } from '@hemid/protocol';
import { spendableCoins } from './coin-selection.ts';
import type { Outlook } from './outlook.ts';
import type { PopWallet } from './pop-wallet.ts';
import type { Sighting } from './sighting.ts';

/** A publication of the miner's own, for people to see. */
export interface PublicationStatus {
  keystoneNumber: number;
  /** Abbreviated hash, display order. */
  keystoneId: string;
  /** Display order. */
  txid: string;
  state: 'mempool' | 'confirmed';
  /** 1 in the tip, 0 in the mempool. */
  confirmations: number;
}

/** What the miner has and does; all zero before it first saw Bitcoin. */
export interface PopMinerStatus {
  /** The Bitcoin address that pays. */
  address: string;
  /** Everything at the address that is not spent in the mempool, immature coins and unconfirmed change included. */
  balanceSats: bigint;
  /** What a publication could be paid with now. */
  spendableSats: bigint;
  /** Number of outputs that {@link balanceSats} is made of. */
  coins: number;
  /** Number of own publications in the mempool. */
  pending: number;
  /** The own publication of the newest keystone that stands on the recent chain or in the mempool. */
  lastPublication?: PublicationStatus;
  /** Publications that were broadcast since the miner was created. */
  publishedCount: number;
  /** Why the miner cannot go on at the moment. */
  trouble?: string;
}

/** What happened to an own publication between two outlooks. */
export interface SightingChange {
  what: 'confirmed' | 'returned' | 'vanished';
  sighting: Sighting;
}

const ownIn = (outlook: Outlook, miner: Uint8Array): Sighting[] => [
  ...outlook.pending.flatMap(({ sightings }) => sightings),
  ...outlook.confirmed.filter((sighting) => equal(sighting.miner, miner)),
];

/** The part of the status that Bitcoin alone says. */
export function describeOutlook(outlook: Outlook, wallet: PopWallet): Omit<PopMinerStatus, 'address' | 'publishedCount' | 'trouble'> {
  const newest = ownIn(outlook, wallet.miner).reduce<Sighting | undefined>(
    (best, next) => (best !== undefined && best.keystoneNumber > next.keystoneNumber ? best : next),
    undefined,
  );
  return {
    balanceSats: sum(outlook.coins),
    spendableSats: sum(spendableCoins(outlook.coins, outlook.tipHeight)),
    coins: outlook.coins.length,
    pending: outlook.pending.filter(({ sightings }) => sightings.length > 0).length,
    ...(newest === undefined ? {} : { lastPublication: describe(newest, outlook.tipHeight) }),
  };
}

/** What became of the miner's publications: mined, back in the mempool after a reorg, or in neither any more. */
export function changesBetween(before: Outlook, after: Outlook, miner: Uint8Array): SightingChange[] {
  const [then, now] = [before, after].map((outlook) => new Map(ownIn(outlook, miner).map((sighting) => [nameOf(sighting), sighting]))) as [
    SightingMap,
    SightingMap,
  ];
  const moved = [...now].flatMap(([name, sighting]): SightingChange[] => {
    const earlier = then.get(name);
    // One that was broadcast and mined since then was in neither.
    if (sighting.height !== undefined)
      return sighting.height === earlier?.height || isBelow(sighting, before) ? [] : [{ what: 'confirmed', sighting }];
    return earlier?.height === undefined ? [] : [{ what: 'returned', sighting }];
  });
  const gone = [...then].filter(([name, sighting]) => !now.has(name) && !isBelow(sighting, after));
  return [...moved, ...gone.map(([, sighting]): SightingChange => ({ what: 'vanished', sighting }))];
}

type SightingMap = Map<string, Sighting>;

/** Whether its block is too far down to be watched. */
function isBelow({ height }: Sighting, { heights }: Outlook): boolean {
  return height !== undefined && [...heights.values()].every((watched) => watched > height);
}

function nameOf({ txid, keystoneId }: Sighting): string {
  return `${toDisplay(txid)}:${keystoneId}`;
}

function describe({ keystoneNumber, keystoneId, txid, height }: Sighting, tipHeight: number): PublicationStatus {
  const confirmations = height === undefined ? 0 : tipHeight - height + 1;
  return { keystoneNumber, keystoneId, txid: toDisplay(txid), state: height === undefined ? 'mempool' : 'confirmed', confirmations };
}

function sum(coins: Outlook['coins']): bigint {
  return coins.reduce((total, { valueSats }) => total + valueSats, 0n);
}
