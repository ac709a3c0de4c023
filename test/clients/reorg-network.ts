import { createNode, createRpcDeps, devKey } from '@hemid/node';
import { createLimits, createRpcServer } from '@hemid/rpc';
import { Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createTestNetwork } from '@hemid/testkit';

/** A sequencer that is served, and whose last block can lose. */
export interface ReorgNetwork {
  url: string;
  /** Builds a block in the next slot, with what waits in the pool. */
  build(): Promise<void>;
  /** Begins another branch on the head of now. */
  fork(): Promise<void>;
  /** Makes the other branch the taller one: two empty blocks. */
  reorg(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a {@link ReorgNetwork} with the spec of `hemid dev`, on a manual clock. */
export async function openReorgNetwork(): Promise<ReorgNetwork> {
  const network = await createTestNetwork();
  const { spec, bitcoin, clock } = network;
  const { node } = network.sequencer;
  const onFailure = (error: unknown): void => {
    throw error;
  };
  const store = await openMemoryStore();
  const role = { kind: 'sequencer', key: new Secret(devKey('sequencer').secret) } as const;
  // A second machine with the sequencer's key, which knows nothing of what the first has built last.
  const rival = await createNode({ spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure }, { bitcoinPollMs: 1000, role });
  const server = createRpcServer(createRpcDeps(node, { clock, log: silentLogger }), {
    host: '127.0.0.1',
    port: 0,
    limits: createLimits({ rpcCheckAnswers: true }),
  });
  await server.start(new AbortController().signal);
  let copied = 0n;
  return {
    url: server.url(),
    async build() {
      await network.sequencer.build();
    },
    async fork() {
      for (; copied < node.chain.head('latest').header.number; copied += 1n) {
        const sealed = node.chain.block(node.chain.headerAt(copied + 1n)?.hash ?? new Uint8Array());
        if (sealed !== undefined) await rival.chain.import(sealed);
      }
    },
    async reorg() {
      for (let i = 0; i < 2; i += 1) {
        await clock.advance(spec.genesis.blockTime * 1000);
        await rival.bitcoinSync.pull();
        await rival.settled();
        const sealed = await rival.duty?.tick();
        await rival.settled();
        if (sealed !== undefined) await node.chain.import(sealed);
      }
      await node.settled();
    },
    async close() {
      await server.stop();
      await network.close();
      await store.close();
    },
  };
}
