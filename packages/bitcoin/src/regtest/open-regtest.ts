import { addressToScript } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import { openStore, type Store } from '@hemid/store';
import { fail } from '../errors.ts';
import type { BitcoinRpc } from '../rpc/bitcoin-rpc.ts';
import { loadRegtestNode } from './regtest-node.ts';
import { createRegtestRpc, type Exclusive } from './regtest-rpc.ts';
import { type RegtestServer, serveRegtest } from './regtest-server.ts';

/** `directory`: where the chain lives, created if it is not there; or a `store` to use, which is then not closed here. */
export type OpenRegtestOptions = { clock: Clock; log: Logger } & ({ directory: string; store?: undefined } | { store: Store; directory?: undefined });

/** A Bitcoin regtest chain in this process: real blocks, transactions and rules, one node, no network. */
export interface EmbeddedRegtest {
  /** Core's methods; each change is on disk before its call answers. */
  rpc: BitcoinRpc;
  /** Serves {@link rpc} over HTTP as Core does; `port` 0 takes a free one. */
  serve(address: { host: string; port: number }): Promise<RegtestServer>;
  /**
   * Mines `count` blocks and answers with their hashes in display order. `timeSeconds` gives the wanted time of the
   * i-th block, in the past too; a block is always later than its median time past.
   */
  mine(request: { count: number; address: string; timeSeconds?: (i: number) => number }): Promise<string[]>;
  /** Stops its servers, waits for running calls, and closes what it opened. */
  close(): Promise<void>;
}

/**
 * Opens an embedded regtest chain, empty but for Core's genesis block when it is new.
 *
 * @throws the errors of `openStore`, and `bitcoin/regtest-layout` for a database of another layout.
 */
export async function openRegtest({ directory, store: given, clock, log }: OpenRegtestOptions): Promise<EmbeddedRegtest> {
  const store = given ?? (await openStore(directory));
  const closeStore = async (): Promise<void> => (given === undefined ? store.close() : undefined);
  const node = await loadRegtestNode(store, { clock, log }).catch(async (error: unknown) => {
    await closeStore();
    throw error;
  });
  const startedAtMs = clock.now();
  const servers = new Set<RegtestServer>();
  let closing: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const exclusive: Exclusive = (fn) => {
    if (closing !== undefined) return Promise.reject(fail('bitcoin/unreachable', 'the embedded Bitcoin has been closed'));
    const run = last.then(fn);
    last = run.catch(() => undefined);
    return run;
  };

  async function closeAll(): Promise<void> {
    await last;
    for (const server of servers) await server.close();
    await closeStore();
  }

  const close = (): Promise<void> => {
    closing ??= closeAll();
    return closing;
  };

  const rpc = createRegtestRpc(node, exclusive, {
    uptime: { params: [], handle: () => Math.floor((clock.now() - startedAtMs) / 1000) },
    stop: {
      params: [],
      handle() {
        // After this answer, for closing waits for it.
        queueMicrotask(() => void close().catch((error: unknown) => log.error({ err: error }, 'embedded bitcoin failed to close')));
        return 'Bitcoin Core stopping';
      },
    },
  });

  return {
    rpc,
    close,
    async serve({ host, port }) {
      const server = await serveRegtest(rpc, { host, port, log });
      servers.add(server);
      log.info({ url: server.url }, 'embedded bitcoin listening');
      return server;
    },
    async mine({ count, address, timeSeconds }) {
      const script = addressToScript(address, 'regtest');
      if (script === undefined) throw fail('bitcoin/rpc', `not an address of regtest: ${address}`);
      const { mined, reason } = await exclusive(() => node.mine({ count, script, timeSeconds }));
      if (reason !== undefined) throw fail('bitcoin/rpc', `a block was refused: ${reason}`);
      return mined.map(({ id }) => id);
    },
  };
}
