import { fromHex } from '@hemid/protocol';

/** Rules of Bitcoin Core's regtest chain (kernel/chainparams.cpp, CRegTestParams; consensus/consensus.h). */

/** The genesis block: hash 0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206 in display order. */
export const GENESIS_BLOCK: Uint8Array = fromHex(
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa' +
    '4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d' +
    '0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420' +
    '666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef' +
    '38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000',
);

/** The difficulty of every block: it never retargets. */
export const BITS = 0x207fffff;

/** The target of {@link BITS}. */
export const TARGET = 0x7fffffn << 232n;

/** The work of every block: 2^256 / (target + 1). So the heaviest chain is the highest. */
export const WORK_PER_BLOCK = (1n << 256n) / (TARGET + 1n);

export const MAX_BLOCK_SIGOPS_COST = 80_000;
export const COINBASE_MATURITY = 100;
/** A block may be this many seconds ahead of the clock. */
export const MAX_FUTURE_SECONDS = 7200;
export const MIN_BLOCK_VERSION = 4;

const HALVING_INTERVAL = 150;

/** What the coinbase at `height` may create, without fees. */
export function subsidySats(height: number): bigint {
  const halvings = Math.floor(height / HALVING_INTERVAL);
  return halvings >= 64 ? 0n : 5_000_000_000n >> BigInt(halvings);
}
