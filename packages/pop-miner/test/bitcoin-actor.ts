import { type BitcoinBlock, type BitcoinRpc, openRegtest, parseBlock } from '@hemid/bitcoin';
import { fromHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { type BitcoinWallet, createBitcoinWallet, createManualClock, startBitcoind } from '@hemid/testkit';

export type BitcoinKind = 'embedded regtest' | 'bitcoind';

/** A Bitcoin regtest chain, and somebody who mines on it and has coins to give. */
export interface BitcoinActor {
  rpc: BitcoinRpc;
  faucet: BitcoinWallet;
  mine(count: number): Promise<string[]>;
  /** Mines to another address: after a block was invalidated the same one would come out again. */
  mineElsewhere(count: number): Promise<string[]>;
  invalidate(blockHash: string): Promise<void>;
  /** Sends coins and does not mine. */
  give(address: string, valueSats: bigint): Promise<string>;
  mempool(): Promise<string[]>;
  /** Hash of the best block, display order. */
  tip(): Promise<string>;
  block(hash: string): Promise<BitcoinBlock>;
  close(): Promise<void>;
}

/** Opens a chain whose faucet has some spendable coins. The bitcoind has no transaction index: none may be needed; `args` are more of its arguments. */
export async function openBitcoin(kind: BitcoinKind, args: readonly string[] = []): Promise<BitcoinActor> {
  return createBitcoinActor(kind === 'bitcoind' ? await openBitcoind(args) : await openEmbedded());
}

/** The same on a chain that is there already. */
export async function createBitcoinActor({ rpc, close }: Pick<BitcoinActor, 'rpc' | 'close'>): Promise<BitcoinActor> {
  const faucet = createBitcoinWallet({ rpc, secret: 'faucet' });
  const stranger = createBitcoinWallet({ rpc, secret: 'stranger' });
  await faucet.mine(110);
  return {
    rpc,
    faucet,
    close,
    mine: (count) => faucet.mine(count),
    mineElsewhere: (count) => stranger.mine(count),
    async invalidate(blockHash) {
      await rpc('invalidateblock', [blockHash]);
    },
    async give(address, valueSats) {
      return (await faucet.pay({ outputs: [{ to: address, valueSats }] })).txid;
    },
    mempool: async () => (await rpc('getrawmempool', [])) as string[],
    tip: async () => (await rpc('getbestblockhash', [])) as string,
    block: async (hash) => parseBlock(fromHex((await rpc('getblock', [hash, 0])) as string)),
  };
}

async function openEmbedded(): Promise<{ rpc: BitcoinRpc; close(): Promise<void> }> {
  const store = await openMemoryStore();
  const regtest = await openRegtest({ store, clock: createManualClock(1_750_000_000_000), log: silentLogger });
  return { rpc: regtest.rpc, close: () => regtest.close() };
}

async function openBitcoind(args: readonly string[]): Promise<{ rpc: BitcoinRpc; close(): Promise<void> }> {
  const bitcoind = await startBitcoind({ args: ['-txindex=0', ...args] });
  return { rpc: bitcoind.rpc, close: () => bitcoind.stop() };
}
