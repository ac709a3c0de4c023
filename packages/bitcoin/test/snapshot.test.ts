import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assertUnspentSet,
  decompressAmount,
  hashScript,
  hasUnspentSet,
  loadUnspentSet,
  messageStart,
  readCoinGroup,
  satsFromBtc,
  type UnspentSet,
} from '@hemid/bitcoin';
import { concat, fromDisplay, fromHex, toDigits, toDisplay } from '@hemid/protocol';
import { silentLogger, systemClock } from '@hemid/runtime';
import { layout, NO_VERSION, type OutputKey, openStore, type Store, type Table, UNSPENT } from '@hemid/store';
import { type Bitcoind, type BitcoinWallet, buildTransaction, createBitcoinWallet, signTransaction, startBitcoind } from '@hemid/testkit';
import { getPublicKey } from '@noble/secp256k1';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listUnspent } from '../src/unspent-tree.ts';

const OUTPUTS_PER_TRANSACTION = 25_000;
const BIG_TRANSACTIONS = 4;
/** Amounts whose compressed forms differ. */
const STRANGE_SATS = [0n, 1n, 10n, 900n, 123_456_789n, 100_000_000n];
const deps = (store: Store) => ({ store, clock: systemClock, log: silentLogger });

let bitcoind: Bitcoind;
let wallet: BitcoinWallet;
let directory: string;
let path: string;
let set: UnspentSet;
let coinsAtGenesis: number;
/** The set some blocks before: enough for two chunks. */
let small: { set: UnspentSet; path: string };
let strange: { txid: string; scripts: Uint8Array[] };
let spentLater: { txid: string; vout: number };

const repeat = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);

/** Every form that the compression of scripts tells apart, and ones that never enter the set. */
function strangeScripts(): Uint8Array[] {
  const keys = [1, 2, 3, 4].map((i) => repeat(i, 32));
  const short = keys.map((key) => getPublicKey(key));
  const long = keys.map((key) => getPublicKey(key, false));
  return [
    ...short.map((key) => Uint8Array.of(33, ...key, 0xac)),
    ...long.map((key) => Uint8Array.of(65, ...key, 0xac)),
    // Not on the curve: stays as it is.
    Uint8Array.of(65, 4, ...repeat(0xff, 64), 0xac),
    Uint8Array.of(0x76, 0xa9, 20, ...repeat(7, 20), 0x88, 0xac),
    Uint8Array.of(0xa9, 20, ...repeat(8, 20), 0x87),
    Uint8Array.of(0, 32, ...repeat(9, 32)),
    Uint8Array.of(0x51, 32, ...repeat(10, 32)),
    Uint8Array.of(),
    repeat(0x51, 252),
    repeat(0x51, 253),
    repeat(0x51, 10_000),
    repeat(0x51, 10_001),
    Uint8Array.of(0x6a, 2, 1, 2),
  ];
}

const hashAt = async (height: number): Promise<Uint8Array> => fromDisplay((await bitcoind.rpc('getblockhash', [height])) as string);

/** Mines transactions past the mempool's limits. */
async function mineRaw(...hexes: string[]): Promise<void> {
  await bitcoind.rpc('generateblock', [wallet.addresses.p2pkh, hexes]);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-snapshot-'));
  bitcoind = await startBitcoind();
  wallet = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'snapshot' });
  await wallet.mine(120);
  const coins = await wallet.coins();
  for (let t = 0; t < BIG_TRANSACTIONS; t += 1) {
    const input = coins[t];
    if (input === undefined) throw new Error('no coin');
    const outputs = Array.from({ length: OUTPUTS_PER_TRANSACTION }, (_, i) => ({
      to: Uint8Array.of(0, 20, t, i & 0xff, i >> 8, ...repeat(0xee, 17)),
      valueSats: BigInt(1000 + i * 7),
    }));
    const tx = signTransaction(buildTransaction({ inputs: [input], outputs }), [input], [wallet.secretKey]);
    await mineRaw(tx.toHex());
  }
  const input = coins[BIG_TRANSACTIONS];
  const later = coins[BIG_TRANSACTIONS + 1];
  if (input === undefined || later === undefined) throw new Error('no coin');
  const scripts = strangeScripts();
  const tx = signTransaction(
    buildTransaction({ inputs: [input], outputs: scripts.map((to, i) => ({ to, valueSats: STRANGE_SATS[i] ?? BigInt(i) })) }),
    [input],
    [wallet.secretKey],
  );
  strange = { txid: tx.getId(), scripts };
  await mineRaw(tx.toHex());

  const height = (await bitcoind.rpc('getblockcount', [])) as number;
  const info = (await bitcoind.rpc('gettxoutsetinfo', ['hash_serialized_3'])) as { hash_serialized_3: string; txouts: number };
  coinsAtGenesis = info.txouts;
  set = { network: 'regtest', genesis: { hash: await hashAt(height), height }, hashSerialized: fromDisplay(info.hash_serialized_3) };
  // What comes later must not be in it, and what is spent later must be.
  const spend = signTransaction(
    buildTransaction({ inputs: [later], outputs: [{ to: wallet.addresses.p2tr, valueSats: 1000n }] }),
    [later],
    [wallet.secretKey],
  );
  spentLater = { txid: later.txid, vout: later.vout };
  await mineRaw(spend.toHex());
  await wallet.mine(3);
  path = join(directory, 'utxo.dat');
  const dumped = (await bitcoind.rpc('dumptxoutset', [path, 'rollback', { rollback: height }])) as { txoutset_hash: string };
  expect(dumped.txoutset_hash).toBe(info.hash_serialized_3);
  const before = height - BIG_TRANSACTIONS;
  small = { path: join(directory, 'small.dat'), set: { ...set, genesis: { hash: await hashAt(before), height: before } } };
  const { txoutset_hash } = (await bitcoind.rpc('dumptxoutset', [small.path, 'rollback', { rollback: before }])) as { txoutset_hash: string };
  small.set.hashSerialized = fromDisplay(txoutset_hash);
}, 120_000);
afterAll(async () => {
  await bitcoind.stop();
  for (const store of stores) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The rows that a load writes: how many outputs, the first of them, and a digest of all. */
async function rowsOf(store: Store): Promise<{ outputs: number; first: OutputKey | undefined; digest: string }> {
  const digest = createHash('sha256');
  let first: OutputKey | undefined;
  let outputs = 0;
  for (const table of [layout.output, layout.script, layout.pastScript, layout.scriptNode, layout.unspentSet] as unknown as Table<
    unknown,
    unknown
  >[]) {
    for await (const [key, value] of store.range(table)) {
      digest.update(table.prefix).update(table.key.encode(key)).update(table.value.encode(value));
      if (table.prefix !== layout.output.prefix) continue;
      first ??= key as OutputKey;
      outputs += 1;
    }
  }
  return { outputs, first, digest: digest.digest('hex') };
}

const stores: Store[] = [];
async function emptyStore(): Promise<Store> {
  const store = await openStore(join(directory, `store-${stores.length}`));
  stores.push(store);
  return store;
}

/** A store that dies at its n-th commit, and with it all that ran on it. */
function dyingStore(store: Store, commits: number): Store {
  let left = commits;
  return {
    ...store,
    batch() {
      const batch = store.batch();
      return {
        ...batch,
        async commit() {
          if (left === 0) throw new Error('killed');
          left -= 1;
          await batch.commit();
        },
      };
    },
  };
}

function edited(name: string, edit: (bytes: Buffer) => Buffer): string {
  const file = join(directory, name);
  writeFileSync(file, edit(readFileSync(path)));
  return file;
}

describe(`the unspent set of a real bitcoind with more than ${BIG_TRANSACTIONS * OUTPUTS_PER_TRANSACTION} outputs`, () => {
  let loaded: Store;
  let rows: Awaited<ReturnType<typeof rowsOf>>;
  beforeAll(async () => {
    loaded = await emptyStore();
    expect(() => assertUnspentSet(loaded, set.hashSerialized)).toThrow(/not loaded yet/);
    await loadUnspentSet(deps(loaded), set, { path });
    rows = await rowsOf(loaded);
  });

  it('is in the index whole, output by output and by script, and counts as complete', () => {
    expect(coinsAtGenesis).toBeGreaterThan(100_000);
    expect(rows.outputs).toBe(coinsAtGenesis);
    expect(hasUnspentSet(loaded, set.hashSerialized)).toBe(true);
    expect(hasUnspentSet(loaded, repeat(1, 32))).toBe(false);
    expect(() => assertUnspentSet(loaded, set.hashSerialized)).not.toThrow();
  });

  it('has every form of script as bitcoind has it, and none that cannot be spent', async () => {
    for (const [vout, script] of strange.scripts.entries()) {
      const theirs = (await bitcoind.rpc('gettxout', [strange.txid, vout])) as { value: number; scriptPubKey: { hex: string } } | null;
      const ours = loaded.get(layout.output, { txid: fromDisplay(strange.txid), vout });
      if (theirs === null) {
        expect(ours).toBeUndefined();
        expect(script[0] === 0x6a || script.length > 10_000).toBe(true);
        continue;
      }
      expect({ vout, script: toDigits(ours?.script ?? new Uint8Array()), valueSats: ours?.valueSats }).toEqual({
        vout,
        script: toDigits(script),
        valueSats: satsFromBtc(theirs.value),
      });
      expect(theirs.scriptPubKey.hex).toBe(toDigits(script));
      expect(ours).toMatchObject({ madeAt: set.genesis.height, spentAt: UNSPENT });
      const version = loaded.get(layout.script, hashScript(script));
      expect(version).toMatchObject({ since: set.genesis.height, previous: NO_VERSION, balanceSats: ours?.valueSats });
    }
  });

  it('sums up by script to what bitcoind counts', async () => {
    for (const script of [wallet.scripts.p2wpkh, wallet.scripts.p2pkh]) {
      const found: bigint[] = [];
      for await (const [, row] of loaded.range(layout.output)) if (toDigits(row.script) === toDigits(script)) found.push(row.valueSats);
      const version = loaded.get(layout.script, hashScript(script));
      if (version === undefined) throw new Error('the script is not in the set');
      const listed = listUnspent(loaded, { scriptHash: hashScript(script), row: version }, { skip: 0, limit: 1000 });
      expect(listed).toHaveLength(found.length);
      expect(version.balanceSats).toBe(found.reduce((sum, value) => sum + value, 0n));
    }
  });

  it('is the set at the hVM genesis: what was spent after it is unspent in it', async () => {
    const { txid, vout } = spentLater;
    expect(await bitcoind.rpc('gettxout', [txid, vout])).toBeNull();
    const row = loaded.get(layout.output, { txid: fromDisplay(txid), vout });
    expect(row?.spentAt).toBe(UNSPENT);
    expect(row?.madeAt).toBeLessThan(121);
  });

  it('is loaded once: a second load does not even need the file', async () => {
    await loadUnspentSet(deps(loaded), set, { path: join(directory, 'nowhere') });
    expect(await rowsOf(loaded)).toEqual(rows);
  });

  describe('killed under way', () => {
    let whole: Awaited<ReturnType<typeof rowsOf>>;
    const load = (store: Store): Promise<void> => loadUnspentSet(deps(store), small.set, { path: small.path });
    beforeAll(async () => {
      const store = await emptyStore();
      await load(store);
      whole = await rowsOf(store);
      expect(whole.outputs).toBeGreaterThan(25_000);
    });

    it('ends with the same rows wherever it was, and the set does not count before', async () => {
      // The commits of a load: its beginning, four tables cleared, the chunks, its end.
      for (const commits of [0, 3, 5, 6, 7]) {
        const store = await emptyStore();
        await expect(load(dyingStore(store, commits))).rejects.toThrow('killed');
        expect(hasUnspentSet(store, small.set.hashSerialized)).toBe(false);
        expect((await rowsOf(store)).outputs > 0).toBe(commits > 5);
        await load(store);
        expect(await rowsOf(store)).toEqual(whole);
      }
    });

    it('goes on from its checkpoint instead of starting over, and only with the same file', async () => {
      const store = await emptyStore();
      await expect(load(dyingStore(store, 6))).rejects.toThrow('killed');
      const begun = store.get(layout.unspentSet, 'loading');
      if (begun === undefined || whole.first === undefined) throw new Error('nothing was begun');
      expect(Number(begun.coins)).toBeGreaterThan(10);
      // A row before the checkpoint is taken away: a load that goes on does not bring it back, one that starts over does.
      const batch = store.batch();
      batch.del(layout.output, whole.first);
      await batch.commit();
      await expect(load(dyingStore(store, 1))).rejects.toThrow('killed');
      expect(store.get(layout.output, whole.first)).toBeUndefined();
      expect(Number(store.get(layout.unspentSet, 'loading')?.coins)).toBeGreaterThan(Number(begun.coins));

      const other = store.batch();
      other.put(layout.unspentSet, 'loading', { ...begun, prefix: repeat(5, 32) });
      await other.commit();
      await load(store);
      expect(await rowsOf(store)).toEqual(whole);
    });
  });

  it('is refused, before the first row is written, when a bit is flipped anywhere', async () => {
    const size = readFileSync(path).length;
    const places = [51, 60, 84, 90, 1000, Math.floor(size / 2), size - 20, size - 1];
    for (const at of places) {
      const store = await emptyStore();
      const file = edited('flipped.dat', (bytes) => {
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes;
      });
      await expect(loadUnspentSet(deps(store), set, { path: file }), `bit flipped at ${at}`).rejects.toMatchObject({ code: 'bitcoin/unspent-file' });
      expect(await rowsOf(store)).toMatchObject({ outputs: 0 });
    }
  });

  it('is refused when the file is cut short, has more behind its end, or is none', async () => {
    const store = await emptyStore();
    const refused = async (file: string, reason: RegExp): Promise<void> => {
      const load = loadUnspentSet(deps(store), set, { path: file });
      await expect(load).rejects.toMatchObject({ code: 'bitcoin/unspent-file', severity: 'fatal', message: expect.stringMatching(reason) });
    };
    await refused(
      edited('short.dat', (bytes) => bytes.subarray(0, bytes.length - 1)),
      /ends in the middle/,
    );
    await refused(
      edited('shorter.dat', (bytes) => bytes.subarray(0, 40)),
      /not one that dumptxoutset/,
    );
    await refused(
      edited('group.dat', (bytes) => Buffer.concat([bytes, repeat(0xff, 32), Uint8Array.of(1, 0, 2, 0, 6)])),
      /announces/,
    );
    await refused(
      edited('zero.dat', (bytes) => Buffer.concat([bytes, repeat(0, 7)])),
      /ends in the middle/,
    );
    await refused(join(directory, 'nowhere'), /cannot be opened/);
    await refused(
      edited('version.dat', (bytes) => {
        bytes[5] = 1;
        return bytes;
      }),
      /version 1/,
    );
    expect(await rowsOf(store)).toMatchObject({ outputs: 0 });
  });

  it('is refused for another network, another block, another hash, or after indexing began', async () => {
    const store = await emptyStore();
    const load = (other: Partial<UnspentSet>) => loadUnspentSet(deps(store), { ...set, ...other }, { path });
    await expect(load({ network: 'mainnet' })).rejects.toThrow(/another network/);
    await expect(load({ genesis: { hash: repeat(3, 32), height: 125 } })).rejects.toThrow(/is for block/);
    await expect(load({ genesis: { ...set.genesis, height: set.genesis.height - 1 } })).rejects.toThrow(/younger/);
    await expect(load({ hashSerialized: repeat(4, 32) })).rejects.toThrow(new RegExp(`has hash_serialized_3 ${toDisplay(set.hashSerialized)}`));
    const batch = store.batch();
    batch.put(layout.position, 'index', set.genesis);
    await batch.commit();
    await expect(load({})).rejects.toMatchObject({ code: 'bitcoin/unspent-late', severity: 'fatal' });
  });
});

describe('the forms of a snapshot', () => {
  /** As Bitcoin Core's CompressAmount has it. */
  function compressAmount(sats: bigint): bigint {
    if (sats === 0n) return 0n;
    let [n, exponent] = [sats, 0n];
    for (; n % 10n === 0n && exponent < 9n; exponent += 1n) n /= 10n;
    if (exponent === 9n) return 1n + (n - 1n) * 10n + 9n;
    const digit = n % 10n;
    return 1n + ((n / 10n) * 9n + digit - 1n) * 10n + exponent;
  }
  function varint(value: bigint): Uint8Array {
    const bytes = [Number(value & 0x7fn)];
    for (let n = (value >> 7n) - 1n; n >= 0n; n = (n >> 7n) - 1n) bytes.unshift(Number(n & 0x7fn) | 0x80);
    return Uint8Array.from(bytes);
  }
  const amounts = fc.oneof(
    fc.bigInt(0n, 2_100_000_000_000_000n),
    fc.integer({ min: 0, max: 15 }).map((e) => 10n ** BigInt(e)),
  );

  it('give every amount back', () => {
    fc.assert(
      fc.property(amounts, (sats) => decompressAmount(compressAmount(sats)) === sats),
      { numRuns: 2000 },
    );
  });

  it('are read as they were written, sorted by number, and never beyond their end', () => {
    const coin = fc.record({ height: fc.nat(2 ** 31 - 1), isCoinbase: fc.boolean(), valueSats: amounts, script: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.array(coin, { minLength: 1, maxLength: 5 }), (txid, list) => {
        const coins = list.map((one, vout) => ({ ...one, vout }));
        const parts = [...coins]
          .reverse()
          .flatMap(({ vout, height, isCoinbase, valueSats, script }) => [
            Uint8Array.of(vout),
            varint(BigInt(height) * 2n + (isCoinbase ? 1n : 0n)),
            varint(compressAmount(valueSats)),
            varint(BigInt(script.length + 6)),
            script,
          ]);
        const bytes = concat(txid, Uint8Array.of(coins.length), ...parts);
        expect(readCoinGroup(concat(Uint8Array.of(1), bytes, Uint8Array.of(2)), 1)).toEqual({ group: { txid, coins }, next: bytes.length + 1 });
        for (const cut of [0, 31, 32, 33, bytes.length - 1]) expect(readCoinGroup(bytes.subarray(0, cut), 0)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('that are no forms are refused with one error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readCoinGroup(bytes, 0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bitcoin/unspent-file' });
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('know the message start of a signet from its challenge', () => {
    // The challenge of the public signet, from Bitcoin Core's chain parameters.
    const challenge = fromHex(
      '512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae',
    );
    expect(toDigits(messageStart('signet', challenge))).toBe('0a03cf40');
    expect(toDigits(messageStart('signet'))).toBe('0a03cf40');
    expect(toDigits(messageStart('mainnet'))).toBe('f9beb4d9');
  });
});
