import type { L2Header } from '@hemid/protocol';
import type { BlockRequest } from './block-simulation.ts';
import { fail } from './errors.ts';

/** Most blocks of one request, those in the gaps with them. */
const MAX_BLOCKS = 256n;
/** Seconds between blocks that state no time, as the execution APIs have it. */
const SECONDS = 12n;

const CODES = { number: -38020, timestamp: -38021, limit: -38026 };

const refuse = (code: number, message: string): Error => fail('hvm/simulation-invalid', message, { details: { code } });

/** Gives each block its number and time, and fills gaps between numbers with empty blocks. @throws `hvm/simulation-invalid` */
export function placeBlocks(base: L2Header, requests: readonly BlockRequest[]): BlockRequest[] {
  const placed: BlockRequest[] = [];
  let { number, timestamp } = base;

  function place(request: BlockRequest): void {
    const time = request.block.timestamp ?? timestamp + SECONDS;
    if (time <= timestamp) throw refuse(CODES.timestamp, `block timestamps must be in order: ${time} <= ${timestamp}`);
    number += 1n;
    timestamp = time;
    placed.push({ ...request, block: { ...request.block, number, timestamp } });
  }

  for (const request of requests) {
    const wanted = request.block.number ?? number + 1n;
    if (wanted <= number) throw refuse(CODES.number, `block numbers must be in order: ${wanted} <= ${number}`);
    if (wanted - base.number > MAX_BLOCKS) throw refuse(CODES.limit, `too many blocks: at most ${MAX_BLOCKS} after block ${base.number}`);
    while (number + 1n < wanted) place({ block: {}, state: [], calls: [] });
    place(request);
  }
  return placed;
}
