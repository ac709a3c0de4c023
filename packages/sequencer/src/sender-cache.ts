import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { fromHex } from '@hemid/protocol';
import type { SenderState } from './pool-rule.ts';

/** What the state of the head says of senders, read once for each head. */
export interface SenderCache {
  /** What is known at the head of now, without waiting. */
  read(sender: string): SenderState | undefined;
  /** Reads a sender's state; then {@link SenderCache.read} knows it, unless the head has changed meanwhile. */
  load(sender: string): Promise<void>;
}

/** Above this many senders everything is forgotten: a flood from empty accounts must not fill the memory. */
const MAX_SENDERS = 65_536;

/** Creates an empty {@link SenderCache}. */
export function createSenderCache(chain: ChainReader): SenderCache {
  const known = new Map<string, SenderState>();
  const loading = new Map<string, Promise<void>>();
  let head: PlacedL2Header | undefined;

  function turn(): PlacedL2Header {
    const latest = chain.head('latest');
    if (latest !== head || known.size >= MAX_SENDERS) {
      known.clear();
      loading.clear();
    }
    head = latest;
    return latest;
  }

  async function fetch(sender: string, at: PlacedL2Header): Promise<void> {
    try {
      const account = await chain.stateAt(at).account(fromHex(sender));
      if (turn() === at) known.set(sender, { nonce: account?.nonce ?? 0n, balance: account?.balance ?? 0n });
    } finally {
      if (head === at) loading.delete(sender);
    }
  }

  return {
    read(sender) {
      turn();
      return known.get(sender);
    },
    load(sender) {
      const at = turn();
      const started = loading.get(sender) ?? fetch(sender, at);
      loading.set(sender, started);
      return started;
    },
  };
}
