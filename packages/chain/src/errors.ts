import { errorsOf, type HemidError } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'chain/block-invalid': { severity: 'invalid', doc: 'a block breaks a rule of the protocol; details {number, hash, rule}' },
  'chain/parent-unknown': { severity: 'retry', doc: 'the parent of a block is not here yet' },
  'chain/slot-sealed': { severity: 'reset', doc: 'this node has sealed a block for that slot: it never seals two' },
  'chain/not-found': { severity: 'invalid', doc: 'no such block, or not on the canonical chain' },
  'chain/conflict': {
    severity: 'retry',
    doc: 'a node that is behind stops at a conflict of two super-final branches, until the operator sets a checkpoint',
  },
  'chain/checkpoint': { severity: 'fatal', doc: 'no chain of this genesis can contain the checkpoint' },
  'chain/other-spec': { severity: 'fatal', doc: 'the data directory belongs to another chain spec' },
});

/** A block that breaks a rule; `rule` is its short name, for logs and tests. */
export function invalidBlock(rule: string, message: string): HemidError {
  return fail('chain/block-invalid', message, { details: { rule } });
}
