import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBitcoindRpc, type EmbeddedRegtest, openRegtest } from '@hemid/bitcoin';
import { silentLogger } from '@hemid/runtime';
import { createManualClock, type ManualClock, startBitcoind } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConformance, type TranscriptLine } from './regtest-conformance.ts';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

async function withEmbedded(
  run: (regtest: EmbeddedRegtest, setTime: (seconds: number) => Promise<void>) => Promise<TranscriptLine[]>,
): Promise<TranscriptLine[]> {
  const directory = mkdtempSync(join(tmpdir(), 'hemid-regtest-'));
  directories.push(directory);
  const clock: ManualClock = createManualClock(0);
  const regtest = await openRegtest({ directory, clock, log: silentLogger });
  try {
    return await run(regtest, (seconds) => clock.advance(seconds * 1000 - clock.now()));
  } finally {
    await regtest.close();
  }
}

/** What a node answers to bodies that are calls in every way, and to some that are none. */
async function askOverHttp(url: string, headers: Record<string, string>): Promise<unknown[]> {
  const bodies = [
    '{"id":1,"method":"getblockcount"}',
    '{"id":1,"method":"getblockcount","params":{}}',
    '{"id":1,"method":"getblockhash","params":{"height":0}}',
    '{"id":1,"method":"getblockhash","params":{"depth":0}}',
    '{"id":1,"method":"nosuchmethod","params":[]}',
    '{"id":1,"method":"getblockhash","params":[99]}',
    '{"jsonrpc":"1.0","id":"a","method":"getblockhash","params":[99]}',
    '{"jsonrpc":"2.0","id":1,"method":"getblockcount","params":[]}',
    '{"jsonrpc":"2.0","id":1,"method":"nosuchmethod","params":[]}',
    '{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":[99]}',
    '{"jsonrpc":"2.0","method":"getblockcount"}',
    '{"id":1,"params":[]}',
    '{"jsonrpc":"2.0","id":1,"params":[]}',
    '{"id":1,"method":7}',
    '{"id":1,"method":"getblockcount","params":7}',
    '[{"id":1,"method":"getblockcount"},{"id":2,"method":"nosuchmethod"}]',
    '[{"jsonrpc":"2.0","id":1,"method":"getblockcount"},{"jsonrpc":"2.0","id":2,"method":"nosuchmethod"}]',
    '[]',
    '{',
    '7',
  ];
  const answers: unknown[] = [];
  for (const body of bodies) {
    const response = await fetch(url, { method: 'POST', headers, body });
    const text = await response.text();
    answers.push({ body, status: response.status, answer: text === '' ? '' : JSON.parse(text) });
  }
  const got = await fetch(url, { headers });
  return [...answers, { status: got.status, text: await got.text() }];
}

describe('the embedded regtest chain', () => {
  let real: TranscriptLine[];
  let realHttp: unknown[];

  beforeAll(async () => {
    const bitcoind = await startBitcoind({ args: ['-txindex=0'] });
    try {
      const authorization = `Basic ${Buffer.from(`${bitcoind.user}:${bitcoind.password}`).toString('base64')}`;
      realHttp = await askOverHttp(bitcoind.url, { authorization });
      real = await runConformance({ rpc: bitcoind.rpc, setTime: async (seconds) => void (await bitcoind.rpc('setmocktime', [seconds])) });
    } finally {
      await bitcoind.stop();
    }
  }, 120_000);

  it('answers a whole story of blocks and payments as a real bitcoind does', async () => {
    const embedded = await withEmbedded((regtest, setTime) => runConformance({ rpc: regtest.rpc, setTime }));
    expect(embedded).toEqual(real);
  }, 120_000);

  it('answers calls and nonsense over HTTP with the same status codes and bodies', async () => {
    let answers: unknown[] = [];
    await withEmbedded(async (regtest) => {
      answers = await askOverHttp((await regtest.serve({ host: '127.0.0.1', port: 0 })).url, {});
      return [];
    });
    expect(answers).toEqual(realHttp);
  });

  it('answers the same over HTTP', async () => {
    const served = await withEmbedded(async (regtest, setTime) => {
      const { url } = await regtest.serve({ host: '127.0.0.1', port: 0 });
      return runConformance({ rpc: createBitcoindRpc({ url, timeoutMs: 30_000 }), setTime });
    });
    expect(served).toEqual(real);
  }, 120_000);
});
