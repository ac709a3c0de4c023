import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedRegtest } from '@hemid/bitcoin';
import { createJsonRpc, createUpstream } from '@hemid/network';
import { createNode, readChainSpec } from '@hemid/node';
import { toHex } from '@hemid/protocol';
import { silentLogger, systemClock } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createLoadSigner, createSeededRandom, type LoadSigner, waitFor } from '@hemid/testkit';
import { createPublicClient, http } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrograms, type Programs, serveEmbeddedBitcoin } from '../program-scene.ts';

const KILLS = Number(process.env['HEMID_KILLS'] ?? 6);
const SEED = Number(process.env['HEMID_SEED'] ?? 7);
const CHAIN_ID = 743_555;
const MNEMONIC = 'test test test test test test test test test test test junk';
const LANES = 4;
/** Rich from the genesis on, each a stream of transactions of its own. */
const SIGNERS: LoadSigner[] = Array.from({ length: LANES }, (_, addressIndex) => {
  const key = mnemonicToAccount(MNEMONIC, { addressIndex: addressIndex + 3 }).getHdKey().privateKey;
  if (key === null) throw new Error('no key');
  return createLoadSigner(key, CHAIN_ID);
});

let programs: Programs;
let bitcoin: EmbeddedRegtest;
let bitcoinUrl: string;
const stopMining = new AbortController();

beforeAll(async () => {
  const served = await serveEmbeddedBitcoin();
  ({ bitcoin, url: bitcoinUrl } = served);
  const { addresses } = served.wallet;
  programs = await createPrograms('kill', { rpc: bitcoin.rpc, url: bitcoinUrl });
  void (async () => {
    while (!stopMining.signal.aborted) {
      await bitcoin.mine({ count: 1, address: addresses.p2wpkh });
      await sleep(400);
    }
  })();
});
afterAll(async () => {
  stopMining.abort();
  await sleep(500);
  await programs?.close();
  await bitcoin.close();
});

/** What was seen sealed: slot time → hash. A second hash for one slot is a double seal. */
const sealed = new Map<bigint, string>();
/** Canonical hashes by number that the node has answered with: acknowledged blocks. */
const acknowledged = new Map<bigint, string>();

async function record(url: string, from: bigint): Promise<bigint> {
  const blocks = await createUpstream(createJsonRpc(url, { timeoutMs: 5_000 })).sealedBlocks(from, 64);
  for (const { block, hash } of blocks) {
    const { timestamp, number } = block.header;
    const known = sealed.get(timestamp);
    if (known !== undefined) expect(`${timestamp} ${toHex(hash)}`).toBe(`${timestamp} ${known}`);
    sealed.set(timestamp, toHex(hash));
    acknowledged.set(number, toHex(hash));
  }
  return blocks[blocks.length - 1]?.block.header.number ?? from;
}

const BATCH = 100;
/** Transactions of one sender that may wait for a block. */
const AHEAD = 400;

type Answer = { result?: string; error?: { message: string } };

async function ask(url: string, calls: { method: string; params: unknown[] }[]): Promise<Answer[]> {
  const body = JSON.stringify(calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call })));
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return ((await response.json()) as (Answer & { id: number })[]).sort((x, y) => x.id - y.id);
}

/** Sends as many transfers of one account as the node takes. */
async function pay(url: string, signer: LoadSigner, signal: AbortSignal): Promise<void> {
  const address = toHex(signer.address);
  while (!signal.aborted) {
    const [mined, pending] = await ask(
      url,
      ['latest', 'pending'].map((tag) => ({ method: 'eth_getTransactionCount', params: [address, tag] })),
    );
    const first = Number(pending?.result);
    if (first - Number(mined?.result) > AHEAD) {
      await sleep(20);
      continue;
    }
    const raws = Array.from({ length: BATCH }, (_, i) =>
      signer.sign({ nonce: first + i, to: signer.address, value: 1n, data: new Uint8Array(), gas: 21_000n }),
    );
    const answers = await ask(
      url,
      raws.map((raw) => ({ method: 'eth_sendRawTransaction', params: [toHex(raw)] })),
    );
    // Transactions in the journal may have overtaken the nonce that was asked for.
    const other = answers.find(({ error }) => error !== undefined && !/nonce too low|already known|underpriced|full/.test(error.message));
    if (other !== undefined) throw new Error(`a transaction was refused: ${other.error?.message}`);
  }
}

/** Keeps the node busy and records every block it sees until it is aborted. */
async function load(url: string, signal: AbortSignal): Promise<void> {
  const isCut = (error: unknown): boolean => signal.aborted || /fetch failed|HTTP request failed|cannot be reached|terminated/i.test(String(error));
  async function watch(): Promise<void> {
    let seen = [...acknowledged.keys()].reduce((max, number) => (number > max ? number : max), 0n);
    while (!signal.aborted) {
      seen = await record(url, seen);
      await sleep(20);
    }
  }
  // The kill breaks what is under way; anything else must surface.
  await Promise.all(
    [watch(), ...SIGNERS.map((signer) => pay(url, signer, signal))].map((work) =>
      work.catch((error: unknown) => {
        if (!isCut(error)) throw error;
      }),
    ),
  );
}

test(
  `kill -9 under load, ${KILLS} times: every acknowledged block is there again, and no slot is sealed twice (seed ${SEED})`,
  async () => {
    const random = createSeededRandom(SEED);
    for (let i = 0; i < KILLS; i += 1) {
      const { program, url } = await programs.start('data');
      const client = createPublicClient({ transport: http(url) });
      for (const [number, hash] of acknowledged) {
        const block = await client.getBlock({ blockNumber: number });
        expect({ kill: i, number, hash: block.hash }).toEqual({ kill: i, number, hash });
      }
      const stop = new AbortController();
      const loading = load(url, stop.signal);
      await sleep(random.between(50, 700));
      stop.abort();
      await program.kill();
      await loading;
      if (acknowledged.size > 40) for (const number of [...acknowledged.keys()].slice(0, -40)) acknowledged.delete(number);
    }

    // A verifier that has seen nothing executes the whole chain again and gets the same root.
    const { program, url } = await programs.start('data');
    await waitFor(async () => (await record(url, 1n)) > 3n, { timeoutMs: 20_000, what: 'some blocks' });
    const { createBitcoindRpc } = await import('@hemid/bitcoin');
    const store = await openMemoryStore();
    const failures: unknown[] = [];
    const node = await createNode(
      {
        spec: readChainSpec(programs.chain),
        store,
        bitcoin: createBitcoindRpc({ url: bitcoinUrl, timeoutMs: 10_000 }),
        clock: systemClock,
        log: silentLogger,
        onFailure: (error) => failures.push(error),
      },
      { bitcoinPollMs: 100, role: { kind: 'verifier', upstream: createUpstream(createJsonRpc(url, { timeoutMs: 10_000 })), pollMs: 100 } },
    );
    await node.bitcoinSync.pull();
    await node.follow?.pull();
    expect(failures).toEqual([]);
    const head = node.chain.head('latest');
    const client = createPublicClient({ transport: http(url) });
    const theirs = await client.getBlock({ blockNumber: head.header.number });
    expect(head.header.number).toBeGreaterThan(3n);
    expect({ hash: theirs.hash, stateRoot: theirs.stateRoot }).toEqual({ hash: toHex(head.hash), stateRoot: toHex(head.header.stateRoot) });
    const counts = await Promise.all(SIGNERS.map(({ address }) => client.getTransactionCount({ address: toHex(address) })));
    // The node was killed at work: however little of it a busy machine got through.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(KILLS * 10);
    expect(await program.stop()).toBe(0);
    await store.close();
  },
  120_000 + KILLS * 6_000,
);
