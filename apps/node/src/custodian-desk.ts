import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CustodianStatus } from '@hemid/tunnel';
import { fail } from './errors.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** As JSON: numbers of any size are decimal text. */
type Saved<T> = T extends bigint ? string : T extends (infer E)[] ? Saved<E>[] : T extends object ? { [K in keyof T]: Saved<T[K]> } : T;

const pauseFile = (data: string): string => join(data, 'pause');
const statusFile = (data: string): string => join(data, 'custodian.json');

/** Why an operator has paused the custodian of a data directory; `undefined` when nobody has. */
export function readPause(data: string): string | undefined {
  if (!existsSync(pauseFile(data))) return undefined;
  return readFileSync(pauseFile(data), 'utf8').trim() || 'no reason given';
}

/** Keeps the status where `hemid custodian status` finds it; @returns what to call with every new one. */
export function createStatusFile(data: string): (status: CustodianStatus) => void {
  let written = '';
  return (status) => {
    const saved = JSON.stringify(status, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
    if (saved !== written) writeJsonFile(statusFile(data), JSON.parse(saved));
    written = saved;
  };
}

const lines = (title: string, entries: readonly string[]): string[] => (entries.length === 0 ? [] : [title, ...entries.map((entry) => `  ${entry}`)]);

/** A status as a person reads it. */
function tell(status: Saved<CustodianStatus>, pause: string | undefined): string {
  const { says, open, waiting, batch, complete, reserveSats, liabilitySats, alarms, troubles } = status;
  const more = BigInt(open) - BigInt(waiting.length);
  return [
    `last look    ${says}`,
    ...(pause === undefined ? [] : [`paused       ${pause}`]),
    `reserves     ${reserveSats} sats, owed ${liabilitySats}`,
    ...lines('alarms', alarms),
    ...lines(
      `waiting      ${open} withdrawals`,
      waiting.map(({ id, sats, status: state }) => `${id}: ${sats} sats, ${state}`),
    ),
    ...(more > 0n ? [`  and ${more} more`] : []),
    ...(batch === undefined
      ? []
      : lines(`batch        ${batch.firstId}, ${batch.count} withdrawals, ${batch.paysSats} sats, ${batch.txid}`, [
          `${batch.signed.length} of ${batch.required} signatures that it needs`,
          ...batch.signed.map((key) => `signed      ${key}`),
          ...batch.notSigned.map((key) => `not signed  ${key}`),
        ])),
    ...lines(
      'sent',
      complete.map(
        ({ firstId, txid, height }) => `batch ${firstId} ${txid} ${height === undefined ? 'not in a Bitcoin block' : `in Bitcoin block ${height}`}`,
      ),
    ),
    ...lines(
      'trouble',
      troubles.map(({ from, what }) => `${from}: ${what}`),
    ),
  ].join('\n');
}

/** What `hemid custodian status | pause | resume` does with the data directory of a custodian, running or not. */
export const CUSTODIAN_VERBS: Record<string, (data: string, reason: string) => string> = {
  status(data) {
    if (!existsSync(statusFile(data))) throw fail('node/config', `no custodian has run on ${data} yet: name its data directory with --data`);
    return tell(readJsonFile(statusFile(data)) as Saved<CustodianStatus>, readPause(data));
  },
  pause(data, reason) {
    writeFileSync(pauseFile(data), `${reason}\n`);
    return `paused: the custodian of ${data} signs and sends nothing until hemid custodian resume`;
  },
  resume(data) {
    rmSync(pauseFile(data), { force: true });
    return `the custodian of ${data} goes on`;
  },
};
