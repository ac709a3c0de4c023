import { equal, hashBitcoinHeader, toDisplay } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { KEYSTONE_WINDOW } from '../sighting.ts';

/** A header with its place in the chain. */
export interface PlacedHeader {
  /** 80 bytes. */
  header: Uint8Array;
  height: number;
}

/** The recent headers of the best chain; each is asked for once. */
export interface HeaderWindow {
  /** Their heights by hash (display order), those below `best` included, as far down as a publication counts. */
  endingAt(best: PlacedHeader, signal?: AbortSignal): Promise<Map<string, number>>;
}

/** More than a publication counts for: some may be orphaned. */
const KEPT_HEADERS = KEYSTONE_WINDOW + 6;

/** Creates an empty window. `readHeaders`: those known at a height, on any branch; none below where the source begins. */
export function createHeaderWindow(readHeaders: (height: number, signal?: AbortSignal) => Promise<Uint8Array[]>): HeaderWindow {
  let known = new Map<string, Uint8Array>();

  return {
    async endingAt(best, signal) {
      const heights = new Map<string, number>();
      const found = new Map<string, Uint8Array>();
      let { header } = best;
      for (let { height } = best; ; height -= 1) {
        const name = toDisplay(hashBitcoinHeader(header));
        heights.set(name, height);
        found.set(name, header);
        known.set(name, header);
        if (height === 0 || heights.size === KEPT_HEADERS) break;
        const parent = header.slice(4, 36);
        const remembered = known.get(toDisplay(parent));
        const candidates = remembered === undefined ? await readHeaders(height - 1, signal) : [remembered];
        if (candidates.length === 0) break;
        const next = candidates.find((candidate) => equal(hashBitcoinHeader(candidate), parent));
        if (next === undefined)
          throw fail('pop-miner/chain-moves', `the TBC node has another header at height ${height - 1} than its best chain asks for`);
        header = next;
      }
      known = found;
      return heights;
    },
  };
}
