import type { Anchored, Chain, Conflict } from '@hemid/chain';
import { toHex } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';

const nameOf = ({ keystone, position }: Anchored): string =>
  `${toHex(keystone.hash)} (keystone ${keystone.header.number}, published at Bitcoin height ${position.height})`;

/** A conflict of two super-final branches in a sentence, with what ends it (protocol section 8). */
export function describeConflict({ kind, fork, own, other }: Conflict): string {
  const what = {
    stays: 'a branch that was published earlier came too late to be followed',
    contradicted: 'another branch was built that knows nothing of this one, although it was published long before',
    waiting: 'a sealed branch that was published earlier waits for Bitcoin data',
  }[kind];
  const ours = own === undefined ? 'this node is on one that is not published' : `this node is on ${nameOf(own)}`;
  return `two branches fork after block ${fork.header.number}: ${ours}, and ${what}: ${nameOf(other)}; finalized stays where it is until --checkpoint names a block of the right one`;
}

/** Logs when a conflict begins, once, and when it ends. */
export function watchConflict(chain: Chain, log: Logger): void {
  let last = '';
  chain.onHead(() => {
    const conflict = chain.conflict();
    const name = conflict === undefined ? '' : `${conflict.kind} ${toHex(conflict.fork.hash)}`;
    if (name === last) return;
    last = name;
    if (conflict === undefined) log.info('finality/conflict is over');
    else log.error({ code: 'finality/conflict', fork: Number(conflict.fork.header.number) }, `finality/conflict: ${describeConflict(conflict)}`);
  });
}
