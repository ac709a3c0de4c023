import { fromBigEndian } from '@hemid/protocol';
import type { Random } from '@hemid/runtime';

const ID_BYTES = 16;

/** The id of a filter or a subscription, which nobody guesses: a quantity of up to 16 bytes, without leading zeros as clients expect it. */
export function createId(random: Random): string {
  return `0x${fromBigEndian(random.bytes(ID_BYTES)).toString(16)}`;
}
