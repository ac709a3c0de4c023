import { type IndexedBlock, publicationsIn } from '@hemid/bitcoin';
import { type Follower, layout } from '@hemid/store';

/** Keystone publications on the node's own best Bitcoin chain. */
export const anchorFollower: Follower<IndexedBlock> = {
  name: 'anchors',
  apply({ block, height }, batch) {
    for (const { key, row } of publicationsIn(block, height)) batch.put(layout.anchor, key, row);
  },
  revert({ block, height }, batch) {
    for (const { key } of publicationsIn(block, height)) batch.del(layout.anchor, key);
  },
};
