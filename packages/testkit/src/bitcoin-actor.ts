import { type BitcoinRpc, openRegtest } from '@hemid/bitcoin';
import { devKey } from '@hemid/node';
import { type Clock, silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { type BitcoinWallet, createBitcoinWallet } from './bitcoin-wallet.ts';

/** Bitcoin as an actor: a regtest node, embedded or real, and a wallet that owns its coinbases. */
export interface BitcoinActor {
  rpc: BitcoinRpc;
  wallet: BitcoinWallet;
  height(): Promise<number>;
  /** Mines blocks to an address; `timeSeconds` is for the embedded one alone. */
  mine(request: { count: number; address: string; timeSeconds?: (i: number) => number }): Promise<string[]>;
  /** Mines `count` blocks to the wallet. */
  mineBlocks(count: number): Promise<void>;
  /** Replaces the last `depth` blocks by `depth + 1` others. */
  reorg(depth: number): Promise<void>;
  close(): Promise<void>;
}

/** An address that is nobody's: blocks of a new branch pay it, so that they differ from those they replace. */
export const STRANGER = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';

type Miner = Pick<BitcoinActor, 'rpc' | 'mine' | 'close'>;

function createActor({ rpc, mine, close }: Miner): BitcoinActor {
  const wallet = createBitcoinWallet({ rpc, secret: devKey('miner').secret });
  const height = async (): Promise<number> => (await rpc('getblockcount', [])) as number;
  return {
    rpc,
    mine,
    close,
    wallet,
    height,
    async mineBlocks(count) {
      await mine({ count, address: wallet.addresses.p2wpkh });
    },
    async reorg(depth) {
      const first = await rpc('getblockhash', [(await height()) - depth + 1]);
      await rpc('invalidateblock', [first]);
      await mine({ count: depth + 1, address: STRANGER });
    },
  };
}

/** An embedded regtest with 110 blocks on the test's clock. */
export async function createEmbeddedBitcoin(clock: Clock): Promise<BitcoinActor> {
  const actor = createActor(await openRegtest({ store: await openMemoryStore(), clock, log: silentLogger }));
  const start = Math.floor(clock.now() / 1000) - 3600;
  await actor.mine({ count: 110, address: actor.wallet.addresses.p2wpkh, timeSeconds: (i) => start + i });
  return actor;
}

/** A real bitcoind with 110 more blocks; it is not stopped by `close`. */
export async function createRealBitcoin(rpc: BitcoinRpc): Promise<BitcoinActor> {
  const mine: BitcoinActor['mine'] = async ({ count, address }) => (await rpc('generatetoaddress', [count, address])) as string[];
  const actor = createActor({ rpc, mine, close: async () => undefined });
  await actor.mineBlocks(110);
  return actor;
}
