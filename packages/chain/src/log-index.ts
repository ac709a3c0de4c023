import { concat, type Log, type Receipt, type SealedBlock } from '@hemid/protocol';
import { type Follower, layout, type Reader } from '@hemid/store';

/** Which logs are wanted: an address of any, and per position a topic of any; an empty choice is everything. */
export interface LogFilter {
  addresses: Uint8Array[];
  topics: Uint8Array[][];
}

/** Blocks of one section of the index, whose first has a multiple of it as its number; their offsets in a row are bytes. */
export const LOG_SECTION = 256n;

/*
 * Items, latin1: nothing stands for every block that has a log; 0 ‖ address; position of a topic from 1 on ‖ topic
 * without leading zeros. A row tells of an item exactly, so that only which items stand in the same log is left to look up.
 */
const ANY = '';
const ADDRESS = String.fromCharCode(0);

const latin = (bytes: Uint8Array, from = 0): string => Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from).toString('latin1');
const addressItem = (address: Uint8Array): string => ADDRESS + latin(address);

function topicItem(topic: Uint8Array, position: number): string {
  let zeros = 0;
  while (topic[zeros] === 0) zeros += 1;
  return String.fromCharCode(position + 1) + latin(topic, zeros);
}

function addItems({ address, topics }: Log, items: Set<string>): void {
  items.add(addressItem(address));
  for (const [position, topic] of topics.entries()) items.add(topicItem(topic, position));
}

function itemsOf(receipts: readonly Receipt[]): Set<string> {
  const items = new Set<string>();
  for (const { logs } of receipts) for (const log of logs) addItems(log, items);
  if (items.size > 0) items.add(ANY);
  return items;
}

const sectionOf = (number: bigint): number => Number(number / LOG_SECTION);
const offsetOf = (number: bigint): number => Number(number % LOG_SECTION);

/** In which canonical blocks logs have which addresses and topics; a block's receipts are there when it is applied or reverted. */
export function createLogIndex(receiptsOf: (hash: Uint8Array) => readonly Receipt[] | undefined): Follower<SealedBlock> {
  const items = ({ hash }: SealedBlock): Set<string> => itemsOf(receiptsOf(hash) ?? []);
  return {
    name: 'logs',
    apply(sealed, batch) {
      const { number } = sealed.block.header;
      const section = sectionOf(number);
      const alone = Uint8Array.of(offsetOf(number));
      for (const item of items(sealed)) {
        const key = { section, item };
        const before = batch.get(layout.logItem, key);
        batch.put(layout.logItem, key, before === undefined ? alone : concat(before, alone));
      }
    },
    revert(sealed, batch) {
      const section = sectionOf(sealed.block.header.number);
      for (const item of items(sealed)) {
        const key = { section, item };
        const before = batch.get(layout.logItem, key) ?? new Uint8Array();
        // Only the highest block is ever taken back.
        if (before.length > 1) batch.put(layout.logItem, key, before.slice(0, -1));
        else batch.del(layout.logItem, key);
      }
    },
  };
}

/** What a section must have, each group one of: an item of each position that is not free. */
function groupsOf({ addresses, topics }: LogFilter): string[][] {
  const groups = [addresses.map(addressItem), ...topics.map((choices, position) => choices.map((topic) => topicItem(topic, position)))];
  const chosen = groups.filter((items) => items.length > 0);
  return chosen.length === 0 ? [[ANY]] : chosen;
}

/**
 * The numbers of blocks from `from` to `to`, ascending, in which each of the wanted addresses and topics stands in a log,
 * though perhaps not in the same one. Both lie in one section.
 */
export function findLogBlocks(reader: Reader, filter: LogFilter, { from, to }: { from: bigint; to: bigint }): bigint[] {
  const section = sectionOf(from);
  const first = BigInt(section) * LOG_SECTION;
  let offsets: Set<number> | undefined;
  for (const items of groupsOf(filter)) {
    const some = new Set<number>();
    for (const item of items) {
      for (const offset of reader.get(layout.logItem, { section, item }) ?? []) if (offsets?.has(offset) ?? true) some.add(offset);
    }
    offsets = some;
    if (some.size === 0) break;
  }
  const numbers = [...(offsets ?? [])].sort((a, b) => a - b).map((offset) => first + BigInt(offset));
  return numbers.filter((number) => number >= from && number <= to);
}
