import { type HeaderChain, openHeaderChain, openRegtest } from '@hemid/bitcoin';
import { type ChainSpec, decodeBitcoinHeader, encodeBitcoinHeader, hashBitcoinHeader, parseChainSpec, toHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createManualClock, createSeededRandom, devSpecJson } from '@hemid/testkit';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { acceptRun, chooseRun, type RunLimits } from '../src/index.ts';

let spec: ChainSpec;
let genesis: Uint8Array;
let headers: HeaderChain;
beforeAll(async () => {
  const regtest = await openRegtest({ store: await openMemoryStore(), clock: createManualClock(1_800_000_000_000), log: silentLogger });
  spec = parseChainSpec(await devSpecJson(regtest.rpc, 1_800_000_000));
  await regtest.close();
  genesis = spec.genesis.bitcoin.genesisHeader;
});
beforeEach(async () => {
  headers = await openChain();
});

const openChain = async (): Promise<HeaderChain> => openHeaderChain(await openMemoryStore(), spec);
const hash = hashBitcoinHeader;
const timeOf = (header: Uint8Array): number => decodeBitcoinHeader(header).time;

/** `count` headers on `parent`, a minute apart; `tag` makes siblings differ. */
function mine(parent: Uint8Array, count: number, tag = 0): Uint8Array[] {
  const run: Uint8Array[] = [];
  while (run.length < count) {
    const previous = run[run.length - 1] ?? parent;
    for (let nonce = 0; ; nonce += 1) {
      const fields = { version: 4, merkleRoot: new Uint8Array(32).fill(tag), time: timeOf(previous) + 60, bits: 0x207fffff, nonce };
      const header = encodeBitcoinHeader({ ...fields, previous: hash(previous) });
      if ((hash(header)[31] ?? 0xff) < 0x80) {
        run.push(header);
        break;
      }
    }
  }
  return run;
}

const last = (run: Uint8Array[]): Uint8Array => run[run.length - 1] as Uint8Array;
const everything: RunLimits = { blocks: { has: () => true }, latestTime: Number.MAX_SAFE_INTEGER };

/** The heights above the genesis that the chosen run takes, or `undefined`. */
function chosen(parent: Uint8Array, limits: RunLimits = everything): [first: number, last: number] | undefined {
  const attributes = chooseRun(headers, hash(parent), limits);
  if (attributes === undefined) return undefined;
  const base = headers.genesis.height;
  const heights = attributes.headers.map((header) => (headers.read(hash(header))?.height ?? 0) - base);
  expect(heights).toEqual(heights.map((_, i) => (heights[0] ?? 0) + i));
  expect(toHex(attributes.tip)).toBe(toHex(hash(last(attributes.headers))));
  return [heights[0] ?? 0, heights[heights.length - 1] ?? 0];
}

test('nothing is sent when no branch is heavier than the tip of the parent', async () => {
  const trunk = mine(genesis, 3, 1);
  expect(chosen(genesis)).toBeUndefined();
  await headers.add(trunk);
  await headers.add(mine(genesis, 3, 2));
  expect(chosen(last(trunk))).toBeUndefined();
  expect(chosen(mine(genesis, 1, 9)[0] as Uint8Array)).toBeUndefined();
});

test('up to eight missing headers are sent at once; of more, up to thirty', async () => {
  const trunk = mine(genesis, 45);
  for (const [known, end] of [
    [1, 1],
    [8, 8],
    [9, 9],
    [30, 30],
    [31, 30],
    [45, 30],
  ] as const) {
    await headers.add(trunk.slice(0, known));
    expect(chosen(genesis)).toEqual([1, end]);
  }
  expect(chosen(trunk[29] as Uint8Array)).toEqual([31, 45]);
  expect(chosen(trunk[43] as Uint8Array)).toEqual([45, 45]);
});

test('after a reorg the run starts behind the fork and is as long as it must be to win', async () => {
  const stale = mine(genesis, 5, 1);
  await headers.add(stale);
  const branch = mine(stale[1] as Uint8Array, 40, 2);
  await headers.add(branch.slice(0, 4));
  expect(chosen(last(stale))).toEqual([3, 6]);
  await headers.add(branch.slice(0, 7));
  expect(chosen(last(stale))).toEqual([3, 9]);
  await headers.add(branch);
  expect(chosen(last(stale))).toEqual([3, 32]);
});

test('a reorg deeper than thirty is carried by the shortest run that wins', async () => {
  const stale = mine(genesis, 40, 1);
  await headers.add(stale);
  const branch = mine(genesis, 60, 2);
  await headers.add(branch.slice(0, 41));
  expect(chosen(last(stale))).toEqual([1, 41]);
  await headers.add(branch);
  expect(chosen(last(stale))).toEqual([1, 41]);
});

test('a header is sent only when its body and all before it are here', async () => {
  const trunk = mine(genesis, 12);
  await headers.add(trunk);
  const without = (...missing: number[]): RunLimits => {
    const gone = missing.map((height) => toHex(hash(trunk[height - 1] as Uint8Array)));
    return { ...everything, blocks: { has: (one) => !gone.includes(toHex(one)) } };
  };
  expect(chosen(genesis, without(5))).toEqual([1, 4]);
  expect(chosen(genesis, without(2, 5))).toEqual([1, 1]);
  expect(chosen(genesis, without(1))).toBeUndefined();
  expect(chosen(trunk[5] as Uint8Array, without(2))).toEqual([7, 12]);
});

test('a reorg of which a body is missing before it wins is not sent at all', async () => {
  const stale = mine(genesis, 5, 1);
  const branch = mine(genesis, 8, 2);
  await headers.add(stale);
  await headers.add(branch);
  const missing = (height: number): RunLimits => ({
    ...everything,
    blocks: { has: (one) => toHex(one) !== toHex(hash(branch[height - 1] as Uint8Array)) },
  });
  expect(chosen(last(stale), missing(6))).toBeUndefined();
  expect(chosen(last(stale), missing(7))).toEqual([1, 6]);
});

test('headers from the future are left for later', async () => {
  const trunk = mine(genesis, 6);
  await headers.add(trunk);
  const fourth = timeOf(trunk[3] as Uint8Array);
  expect(chosen(genesis, { ...everything, latestTime: fourth })).toEqual([1, 4]);
  expect(chosen(genesis, { ...everything, latestTime: fourth - 1 })).toEqual([1, 3]);
  expect(chosen(genesis, { ...everything, latestTime: timeOf(genesis) })).toBeUndefined();
});

/** What a verifier that knows only the branch of the parent says of a run. */
async function verdict(parentBranch: Uint8Array[], run: Uint8Array[]): Promise<unknown> {
  const theirs = await openChain();
  await theirs.add(parentBranch);
  const tip = theirs.read(hash(parentBranch[parentBranch.length - 1] ?? genesis));
  try {
    return (await acceptRun(theirs, tip as NonNullable<typeof tip>, { headers: run, tip: hash(last(run)) })).height - theirs.genesis.height;
  } catch (error) {
    return (error as { details?: { rule?: string } }).details?.rule;
  }
}

test('a run of more than thirty headers is refused if it wins without its last, and taken if it does not', async () => {
  const branch = mine(genesis, 42, 2);
  expect(await verdict([], branch.slice(0, 30))).toBe(30);
  expect(await verdict([], branch.slice(0, 31))).toBe('bitcoin-run-too-long');
  const stale = mine(genesis, 40, 1);
  expect(await verdict(stale, branch.slice(0, 40))).toBe('bitcoin-run-too-light');
  expect(await verdict(stale, branch.slice(0, 41))).toBe(41);
  expect(await verdict(stale, branch)).toBe('bitcoin-run-too-long');
});

test('a run that begins below the hVM genesis is refused', async () => {
  const [first] = mine(genesis, 1);
  const below = spec.genesis.bitcoin.headersBefore;
  expect(below).toHaveLength(0);
  expect(await verdict([], [genesis, first as Uint8Array])).toBe('bitcoin-run-detached');
});

test('whatever run is chosen in a random tree, a verifier that knows only the parent accepts it', async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = createSeededRandom(seed);
    headers = await openChain();
    const branches = [mine(genesis, random.between(1, 45), 1)];
    for (let tag = 2; tag < 5; tag += 1) {
      const from = branches[random.between(0, branches.length - 1)] as Uint8Array[];
      const fork = random.between(0, from.length - 1);
      branches.push([...from.slice(0, fork), ...mine(from[fork - 1] ?? genesis, random.between(1, 45), tag)]);
    }
    for (const branch of branches) await headers.add(branch);
    for (const branch of branches) {
      const attributes = chooseRun(headers, hash(last(branch)), everything);
      if (attributes === undefined) expect(headers.best().work).toBe(headers.read(hash(last(branch)))?.work);
      else expect(await verdict(branch, attributes.headers)).toBe((headers.read(attributes.tip)?.height ?? 0) - headers.genesis.height);
    }
  }
});
