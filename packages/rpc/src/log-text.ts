import type { LogFilter } from '@hemid/chain';
import { concat } from '@hemid/protocol';
import { type PlacedLog, showLog } from './log-shape.ts';
import { toText } from './wire.ts';
import { flatten } from './wire-text.ts';

/** A log as its JSON, and what filters look at. */
export interface LogText {
  json: string;
  /** Address and topics one behind the other, latin1. */
  names: string;
}

const ADDRESS = 20;
const TOPIC = 32;
const latin = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** The {@link LogText} of a log. */
export function toLogText(placed: PlacedLog): LogText {
  const { address, topics } = placed.log;
  return { json: flatten(toText(showLog(placed))), names: latin(concat(address, ...topics)) };
}

/** Makes the test whether a log is one of those wanted. */
export function createLogTest({ addresses, topics }: LogFilter): (log: LogText) => boolean {
  const parts = [addresses, ...topics].map((choices, i) => {
    const from = i === 0 ? 0 : ADDRESS + (i - 1) * TOPIC;
    return { from, to: i === 0 ? ADDRESS : from + TOPIC, choices: new Set(choices.map(latin)) };
  });
  const least = ADDRESS + topics.length * TOPIC;
  const chosen = parts.filter(({ choices }) => choices.size > 0);
  return ({ names }) => names.length >= least && chosen.every(({ from, to, choices }) => choices.has(names.slice(from, to)));
}
