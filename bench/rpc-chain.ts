import { setTimeout as sleep } from 'node:timers/promises';
import { createNode, devKey } from '../apps/node/src/index.ts';
import type { EmbeddedRegtest } from '../packages/bitcoin/src/index.ts';
import { decodeUserTransaction } from '../packages/hvm/src/index.ts';
import { parseChainSpec, signSeal } from '../packages/protocol/src/index.ts';
import { silentLogger, systemClock } from '../packages/runtime/src/index.ts';
import { openStore } from '../packages/store/src/index.ts';
import { signAll } from './engine-load.ts';

/* What both peers are asked about: some blocks full of token transfers, then many with one each. */

export const FULL_TRANSACTIONS = 200;
/** Accounts that own coins and tokens. */
export const ACCOUNTS = 10_000;

/** Raw transactions block by block, from block 1 on. */
export function loadOf({ full, logs }: { full: number; logs: number }): Uint8Array[][] {
  const raws = signAll('erc20', { count: full * FULL_TRANSACTIONS + logs, accounts: ACCOUNTS, firstNonce: 0 });
  const sizes = [...Array<number>(full).fill(FULL_TRANSACTIONS), ...Array<number>(logs).fill(1)];
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return raws.slice(at - size, at);
  });
}

/** Builds the blocks into the data directory of a node of `specJson`, one a second from its genesis on. */
export async function buildChain(
  blocks: readonly Uint8Array[][],
  { specJson, directory, bitcoin }: { specJson: unknown; directory: string; bitcoin: EmbeddedRegtest },
): Promise<void> {
  const spec = parseChainSpec(specJson);
  const [sequencer] = spec.genesis.sequencers;
  if (sequencer === undefined) throw new Error('the spec has no sequencer');
  const store = await openStore(directory);
  const upstream = { sealedBlocks: async () => [], bitcoinBlock: async () => undefined, sendTransaction: async (raw: Uint8Array) => raw };
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const deps = { spec, store, bitcoin: bitcoin.rpc, clock: systemClock, log: silentLogger, onFailure };
  const { chain, bitcoinSync } = await createNode(deps, { bitcoinPollMs: 1000, role: { kind: 'verifier', upstream, pollMs: 1000 } });
  await bitcoinSync.pull();
  const key = devKey('sequencer').secret;
  for (const [i, raws] of blocks.entries()) {
    const timestamp = BigInt(spec.genesis.time + i + 1);
    await chain.build(
      { parent: chain.head('latest'), timestamp, beneficiary: sequencer.feeRecipient, attributes: undefined },
      async ({ execution }) => {
        for (const raw of raws) await execution.user(decodeUserTransaction(raw, chain.execution.common));
      },
      (hash) => signSeal(key, BigInt(spec.genesis.chainId), hash),
    );
  }
  // Finality looks at the last head on its own, and reads the store for it.
  await sleep(1_000);
  await store.close();
}
