import type { LogFilter } from '@hemid/chain';
import { equal, type Log } from '@hemid/protocol';
import { z } from 'zod';
import { blockNumber } from './block-id.ts';
import { address, hash } from './param.ts';

/** An end of a range: a number or tag. */
type RangeEnd = z.output<typeof blockNumber>;

/** A filter with the blocks to look at: one by hash, or a range. */
export interface LogQuery extends LogFilter {
  blockHash: Uint8Array | undefined;
  from: RangeEnd | undefined;
  to: RangeEnd | undefined;
}

const MAX_CHOICES = 1000;
const addresses = z.union(
  [address.transform((one) => [one]), z.array(address).max(MAX_CHOICES)],
  `must be an address or a list of at most ${MAX_CHOICES}`,
);
/** null, alone or within a list, stands for any topic. */
const choice = z.union(
  [
    z.null().transform((): Uint8Array[] => []),
    hash.transform((one) => [one]),
    z
      .array(hash.nullable())
      .max(MAX_CHOICES)
      .transform((list) => (list.includes(null) ? [] : (list as Uint8Array[]))),
  ],
  'must be null, a 32-byte topic or a list of such',
);

const absent = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

/** The filter object of `eth_getLogs` and its kin. */
export const logQuery = z
  .object({
    address: addresses.nullish(),
    topics: z.array(choice).max(4, 'a log has at most 4 topics').nullish(),
    blockHash: hash.nullish(),
    fromBlock: blockNumber.nullish(),
    toBlock: blockNumber.nullish(),
  })
  .refine(({ blockHash, fromBlock, toBlock }) => absent(blockHash) === undefined || (absent(fromBlock) ?? absent(toBlock)) === undefined, {
    message: 'cannot specify both blockHash and fromBlock/toBlock, choose one or the other',
  })
  .transform(
    (filter): LogQuery => ({
      addresses: filter.address ?? [],
      topics: filter.topics ?? [],
      blockHash: absent(filter.blockHash),
      from: absent(filter.fromBlock),
      to: absent(filter.toBlock),
    }),
  );

const showEnd = (end: RangeEnd | undefined): string | bigint | undefined => (end !== undefined && 'tag' in end ? end.tag : end?.number);

/** The filter object that {@link logQuery} reads again as this. */
export function showQuery({ addresses, topics, blockHash, from, to }: LogQuery): object {
  const choices = topics.map((choices) => (choices.length === 0 ? null : choices));
  return { address: addresses, topics: choices, blockHash, fromBlock: showEnd(from), toBlock: showEnd(to) };
}

const includes = (choices: readonly Uint8Array[], value: Uint8Array): boolean => choices.some((one) => equal(one, value));

/** Whether a log is one of those wanted. */
export function matchesLog(filter: LogFilter, log: Log): boolean {
  if (filter.addresses.length > 0 && !includes(filter.addresses, log.address)) return false;
  return filter.topics.every((choices, i) => {
    const topic = log.topics[i];
    return topic !== undefined && (choices.length === 0 || includes(choices, topic));
  });
}

/** Whether a log that comes in now is wanted: a range given by numbers holds for the future too, as geth has it. */
export function matchesLive(query: LogQuery, log: Log, blockNumber: bigint): boolean {
  const { from, to } = query;
  if (from !== undefined && 'number' in from && blockNumber < from.number) return false;
  if (to !== undefined && 'number' in to && blockNumber > to.number) return false;
  return matchesLog(query, log);
}
