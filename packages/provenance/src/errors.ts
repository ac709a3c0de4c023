import { errorsOf } from '@hemid/protocol';

/** Errors of this package; those of a proof are named after the link that does not hold. */
export const fail = errorsOf({
  'provenance/form': { severity: 'invalid', doc: 'a file is not a proof, or not written in the one form that a proof has' },
  'provenance/spec': { severity: 'invalid', doc: 'a proof belongs to another chain spec than the one it is checked with' },
  'provenance/bitcoin': { severity: 'invalid', doc: 'the Bitcoin headers of a proof break a rule, or do not lead over the checkpoint' },
  'provenance/lock': { severity: 'invalid', doc: 'the Bitcoin transaction of a deposit is not shown, is no deposit, or was credited too early' },
  'provenance/block': { severity: 'invalid', doc: 'the L2 headers, the transaction or its receipt do not belong together' },
  'provenance/seal': { severity: 'invalid', doc: 'the keystone block is not sealed by the sequencer of its slot' },
  'provenance/anchor': { severity: 'invalid', doc: 'the publication of the keystone is not shown, does not count, or is not deep enough' },
  'provenance/request': { severity: 'invalid', doc: 'the L2 transaction does not request the withdrawal' },
  'provenance/payment': { severity: 'invalid', doc: 'the Bitcoin transaction that pays a withdrawal is not shown, or pays something else' },
  'provenance/settlement': { severity: 'invalid', doc: 'the L2 block does not settle the payment of a withdrawal, or settles it too early' },
  'provenance/not-found': { severity: 'invalid', doc: 'nothing on the canonical chain goes by that name' },
  'provenance/checkpoint': {
    severity: 'invalid',
    doc: 'a proof cannot serve the checkpoint that was asked for: it would need too many headers, or none reach there',
  },
});
