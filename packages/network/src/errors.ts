import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'network/unreachable': { severity: 'retry', doc: 'the upstream node cannot be reached, or its answer makes no sense' },
  'network/waiting-for-bitcoin': { severity: 'retry', doc: 'an L2 block needs a Bitcoin block that cannot be had yet' },
  'network/refused': { severity: 'invalid', doc: 'the upstream node answered a call with an error; details {rpcCode}' },
});
