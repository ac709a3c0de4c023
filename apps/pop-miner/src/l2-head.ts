import { createNodeRpc } from '@hemid/pop-miner';
import { z } from 'zod';
import type { Head } from './head-watch.ts';

const quantity = z
  .string()
  .regex(/^0x[0-9a-f]+$/i)
  .transform(Number);
const block = z.object({ number: quantity, hash: z.string().regex(/^0x[0-9a-f]{64}$/i), timestamp: quantity });

/** Reads the latest block of the L2 node at a URL. */
export function createL2HeadReader(url: string, { timeoutMs }: { timeoutMs: number }): (signal?: AbortSignal) => Promise<Head> {
  const rpc = createNodeRpc(url, { timeoutMs });
  return async (signal) => {
    const parse = (result: unknown): z.output<typeof block> => block.parse(result);
    const { number, hash, timestamp } = await rpc({ method: 'eth_getBlockByNumber', params: ['latest', false], parse }, signal);
    return { height: number, hash, time: timestamp };
  };
}
