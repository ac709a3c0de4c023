import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { toHex } from '../packages/protocol/src/bytes.ts';
import { accountAt, SENDERS } from './engine-load.ts';

/* Sends signed transactions as JSON-RPC batches and waits until blocks have taken them all. */

export interface SendResult {
  /** Transactions in blocks per second, from the first one sent to the block with the last. */
  minedPerS: number;
  acceptedPerS: number;
  /** Answers of the transaction pool that it has no room; those were sent again. */
  refusals: number;
  blocks: number;
}

const BATCH = 100;
const CONNECTIONS = 4;
/** Transactions that may be on their way to a block: what a pool holds; beyond it senders wait, for either peer. */
const OUTSTANDING = 28_000;

/** One keep-alive connection. */
function connect(url: string): (body: string | Buffer) => Promise<unknown> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return (body) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString('utf8'))));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
}

const call = (id: number, method: string, params: unknown[]): object => ({ jsonrpc: '2.0', id, method, params });
type Answer = { id: number; result?: string; error?: { message: string } };

/** Batches of each connection; all transactions of one sender go through the same one, in order. */
function toBatches(raws: readonly Uint8Array[]): { calls: object[]; body: Buffer }[][] {
  const lanes: object[][] = Array.from({ length: CONNECTIONS }, () => []);
  for (const [i, raw] of raws.entries()) lanes[(i % SENDERS) % CONNECTIONS]?.push(call(i, 'eth_sendRawTransaction', [toHex(raw)]));
  return lanes.map((calls) => {
    const batches = [];
    for (let from = 0; from < calls.length; from += BATCH) {
      const part = calls.slice(from, from + BATCH);
      batches.push({ calls: part, body: Buffer.from(JSON.stringify(part)) });
    }
    return batches;
  });
}

async function nonces(ask: ReturnType<typeof connect>): Promise<number> {
  const calls = Array.from({ length: SENDERS }, (_, i) => call(i, 'eth_getTransactionCount', [toHex(accountAt(i)), 'latest']));
  const answers = (await ask(JSON.stringify(calls))) as Answer[];
  return answers.reduce((sum, { result }) => sum + Number(result ?? 0), 0);
}

/** Sends everything through {@link CONNECTIONS} connections, and measures. @throws when a transaction is refused for good. */
export async function sendAll(url: string, raws: readonly Uint8Array[]): Promise<SendResult> {
  const lanes = toBatches(raws);
  const watch = connect(url);
  const one = async (method: string, ...params: unknown[]): Promise<number> =>
    Number(((await watch(JSON.stringify(call(1, method, params)))) as Answer).result);
  const before = await nonces(watch);
  let seen = await one('eth_blockNumber');
  const firstBlock = seen;
  let refusals = 0;
  let sent = 0;
  let mined = 0;
  // Just behind a block, so that every run meets the one-second clock at the same place.
  while ((await one('eth_blockNumber')) === seen) await sleep(5);
  const started = performance.now();

  async function deliver(ask: ReturnType<typeof connect>, batch: { calls: object[]; body: Buffer }): Promise<void> {
    while (sent - mined > OUTSTANDING) await sleep(5);
    sent += batch.calls.length;
    let { body, calls } = batch;
    for (;;) {
      const answers = (await ask(body)) as Answer[];
      const failed = answers.filter(({ error }) => error !== undefined);
      const other = failed.find(({ error }) => !/full|limit exceeded|transaction underpriced/.test(error?.message ?? ''));
      if (other !== undefined) throw new Error(`a transaction was refused: ${other.error?.message}`);
      if (failed.length === 0) return;
      refusals += failed.length;
      const again = new Set(failed.map(({ id }) => id));
      calls = calls.filter((one) => again.has((one as Answer).id));
      body = Buffer.from(JSON.stringify(calls));
      await sleep(20);
    }
  }

  let acceptedMs = 0;
  const sending = Promise.all(
    lanes.map(async (batches) => {
      const ask = connect(url);
      for (const batch of batches) await deliver(ask, batch);
    }),
  ).then(() => {
    acceptedMs = performance.now() - started;
  });
  let minedMs = 0;
  async function watchBlocks(): Promise<void> {
    while (mined < raws.length) {
      const number = await one('eth_blockNumber');
      const now = performance.now() - started;
      for (; seen < number; seen += 1) mined += await one('eth_getBlockTransactionCountByNumber', `0x${(seen + 1).toString(16)}`);
      minedMs = now;
      if (now > 300_000) throw new Error(`only ${mined} of ${raws.length} transactions were mined in 300 s`);
      await sleep(10);
    }
  }
  await Promise.all([sending, watchBlocks()]);
  const executed = (await nonces(watch)) - before;
  if (executed !== raws.length) throw new Error(`${raws.length} transactions were sent, but the nonces rose by ${executed}`);
  return { minedPerS: (raws.length / minedMs) * 1000, acceptedPerS: (raws.length / acceptedMs) * 1000, refusals, blocks: seen - firstBlock };
}
