import type { KeystoneOrigin, KeystoneSource } from '@hemid/pop-miner';
import { fromDisplay, type Keystone, sha256d, toBigEndian } from '@hemid/protocol';

/** An L2 chain of which only the keystones are to be seen. */
export interface KeystoneHolder extends KeystoneSource {
  /** Makes the keystone of block `number`, whose block names a Bitcoin block (display order), at a time (0 if not said). */
  make(number: number, named: string, timeMs?: number): Keystone;
  /** While set, every call fails with it. */
  failure: unknown;
}

/** Creates an L2 chain without keystones. */
export function createKeystoneHolder(): KeystoneHolder {
  const held: { keystone: Keystone; origin: KeystoneOrigin }[] = [];
  const hashOf = (number: number): Uint8Array => sha256d(toBigEndian(number, 4));

  const holder: KeystoneHolder = {
    failure: undefined,
    make(number, named, timeMs = 0) {
      const keystone: Keystone = {
        version: 1,
        l1BlockNumber: 1,
        l2BlockNumber: number,
        parentHash: hashOf(number - 1),
        previousKeystoneHash: number === 25 ? new Uint8Array(32) : hashOf(number - 25),
        stateRoot: sha256d(hashOf(number)),
        blockHash: hashOf(number),
      };
      held.unshift({ keystone, origin: { bitcoinTip: fromDisplay(named), timeMs } });
      return keystone;
    },
    async latest(count) {
      if (holder.failure !== undefined) throw holder.failure;
      return held.slice(0, count).map(({ keystone }) => keystone);
    },
    async origin(blockHash) {
      const found = held.find(({ keystone }) => Buffer.compare(keystone.blockHash, blockHash) === 0);
      if (found === undefined) throw new Error('no such block');
      return found.origin;
    },
  };
  return holder;
}
