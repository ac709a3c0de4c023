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

async function withEmbedded(run: (regtest: EmbeddedRegtest, setTime: (seconds: number) => Promise<void>) => Promise<TranscriptLine[]>): Promise<TranscriptLine[]> {
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

describe('the embedded regtest chain', () => {
  let real: TranscriptLine[];

  beforeAll(async () => {
    const bitcoind = await startBitcoind({ args: ['-txindex=0'] });
    try {
      real = await runConformance({ rpc: bitcoind.rpc, setTime: async (seconds) => void (await bitcoind.rpc('setmocktime', [seconds])) });
    } finally {
      await bitcoind.stop();
    }
  }, 120_000);

  it('answers a whole story of blocks and payments as a real bitcoind does', async () => {
    const embedded = await withEmbedded((regtest, setTime) => runConformance({ rpc: regtest.rpc, setTime }));
    expect(embedded).toEqual(real);
  }, 120_000);

  it('answers the same over HTTP', async () => {
    const served = await withEmbedded(async (regtest, setTime) => {
      const { url } = await regtest.serve({ host: '127.0.0.1', port: 0 });
      return runConformance({ rpc: createBitcoindRpc({ url, timeoutMs: 30_000 }), setTime });
    });
    expect(served).toEqual(real);
  }, 120_000);
});
