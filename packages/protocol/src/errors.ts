import { errorsOf } from './error.ts';

/** Errors of this package. */
export const fail = errorsOf({
  'protocol/encoding': { severity: 'invalid', doc: 'bytes or text do not have the form their format asks for' },
  'protocol/chain-spec': { severity: 'fatal', doc: 'a chain specification is wrong, or not the one this data belongs to' },
  'protocol/descriptor': { severity: 'fatal', doc: 'a vault is not described as a descriptor describes it' },
});
