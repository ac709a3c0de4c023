import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'runtime/config': { severity: 'fatal', doc: 'a flag, an environment variable or the config file is wrong' },
});
