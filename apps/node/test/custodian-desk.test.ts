import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CustodianStatus } from '@hemid/tunnel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CUSTODIAN_VERBS, createStatusFile, readPause } from '../src/custodian-desk.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'hemid-desk-'));
});
afterEach(() => rmSync(data, { recursive: true }));

const run = (verb: string, reason = ''): string | undefined => CUSTODIAN_VERBS[verb]?.(data, reason);
const status: CustodianStatus = {
  says: 'batch 7 (ab) is signed, and waits for other custodians',
  waiting: [
    { id: 7n, sats: 100_000n, status: 'signed' },
    { id: 8n, sats: 9_000_000_000_000_000n, status: 'requested' },
  ],
  open: 3n,
  batch: { txid: 'ab', firstId: 7n, count: 1, paysSats: 97_000n, signed: ['02aa'], notSigned: ['02bb', '03cc'], required: 2 },
  complete: [{ txid: 'cd', firstId: 5n, height: undefined }],
  reserveSats: 10n,
  liabilitySats: 12n,
  alarms: ['the vaults lack 2 sats'],
  troubles: [{ from: 'http://10.0.0.3:8550', what: 'it cannot be reached' }],
};

test('an operator reads what waits and why, who has not signed, and who makes trouble', () => {
  expect(() => run('status')).toThrow(/no custodian has run on .* name its data directory/);
  createStatusFile(data)(status);
  expect(run('status')?.split('\n')).toEqual([
    'last look    batch 7 (ab) is signed, and waits for other custodians',
    'reserves     10 sats, owed 12',
    'alarms',
    '  the vaults lack 2 sats',
    'waiting      3 withdrawals',
    '  7: 100000 sats, signed',
    '  8: 9000000000000000 sats, requested',
    '  and 1 more',
    'batch        7, 1 withdrawals, 97000 sats, ab',
    '  1 of 2 signatures that it needs',
    '  signed      02aa',
    '  not signed  02bb',
    '  not signed  03cc',
    'sent',
    '  batch 5 cd not in a Bitcoin block',
    'trouble',
    '  http://10.0.0.3:8550: it cannot be reached',
  ]);
});

test('a custodian is paused and resumed by its operator, with a reason that its status shows', () => {
  expect(readPause(data)).toBeUndefined();
  run('pause', 'we look into withdrawal 8');
  expect(readPause(data)).toBe('we look into withdrawal 8');
  createStatusFile(data)(status);
  expect(run('status')).toContain('paused       we look into withdrawal 8');
  run('resume');
  expect(readPause(data)).toBeUndefined();
  expect(run('resume')).toMatch(/goes on$/);
});
