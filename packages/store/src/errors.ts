import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'store/locked': { severity: 'fatal', doc: 'another process has the data directory open' },
  'store/corrupt': { severity: 'fatal', doc: 'the data directory holds bytes that cannot be read' },
  'store/write-failed': { severity: 'fatal', doc: 'a write to the data directory failed: what it held may be there or not' },
  'store/unusable': { severity: 'fatal', doc: 'the data directory cannot be opened at all' },
  'store/read-only': { severity: 'fatal', doc: 'a thread that only reads was to write' },
  'store/version': { severity: 'fatal', doc: 'the data directory was written by another version of hemid' },
});
