import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openHeaderChain } from '@hemid/bitcoin';
import {
  type BitcoinNetwork,
  DEFAULT_SIGNET_CHALLENGE,
  descriptorChecksum,
  encodeBitcoinHeader,
  fromHex,
  hashBitcoinHeader,
  isHemidError,
  readVaultDescriptor,
  toDigits,
  toDisplay,
  toHex,
  vaultScript,
} from '@hemid/protocol';
import { loadConfig } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { type Bitcoind, createBitcoinWallet, startBitcoind } from '@hemid/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runSpecNew, specConfig } from '../src/spec-command.ts';
import { readChainSpec } from '../src/spec-template.ts';

const TEMPLATE = fileURLToPath(new URL('../../../configs/regtest.json', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'hemid-spec-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let out: string;
let files = 0;
beforeEach(() => {
  files += 1;
  out = join(directory, `chain-${files}.json`);
});

/** Runs the command as its flags are typed. */
async function specNew(flags: Record<string, string | number>): Promise<string> {
  const argv = Object.entries({ template: TEMPLATE, out, ...flags }).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return runSpecNew(loadConfig(specConfig, { argv, env: {}, envPrefix: 'HEMID' }));
}

async function refusal(flags: Record<string, string | number>): Promise<string> {
  const error = await specNew(flags).catch((thrown: unknown) => thrown);
  expect(existsSync(out)).toBe(false);
  if (isHemidError(error)) return error.message;
  throw error instanceof Error ? error : new Error(`accepted: ${String(error)}`);
}

describe('hemid spec new on a real bitcoind', () => {
  const HEIGHT = 120;
  let bitcoind: Bitcoind;
  let bitcoin: { network: string; bitcoind: string };
  let unspentHash: string;
  const ask = async (method: string, ...params: unknown[]): Promise<unknown> => bitcoind.rpc(method, params);

  beforeAll(async () => {
    bitcoind = await startBitcoind();
    bitcoin = { network: 'regtest', bitcoind: bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`) };
    const wallet = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'miner' });
    await wallet.mine(HEIGHT);
    unspentHash = ((await ask('gettxoutsetinfo', 'hash_serialized_3')) as { hash_serialized_3: string }).hash_serialized_3;
    // What is spent later belongs to the set all the same.
    await wallet.pay({ outputs: [{ to: wallet.addresses.p2tr, valueSats: 100_000n }] });
    await wallet.mine(10);
  });
  afterAll(() => bitcoind.stop());

  it('writes a chain spec whose header chain takes the blocks that follow', async () => {
    const said = await specNew({ ...bitcoin, height: HEIGHT });
    const spec = readChainSpec(out);
    const hash = (await ask('getblockhash', HEIGHT)) as string;
    expect(toDisplay(spec.bitcoinGenesisHash)).toBe(hash);
    expect(spec.genesis.bitcoin.headersBefore.length).toBe(11);
    expect(spec.genesis.bitcoin.unspent).toBe('none');
    expect(said).toContain(hash);
    expect(said).toContain(toHex(spec.genesisHash));
    const chain = await openHeaderChain(await openMemoryStore(), spec);
    for (let height = HEIGHT + 1; height <= HEIGHT + 10; height += 1) {
      await chain.add([fromHex((await ask('getblockheader', await ask('getblockhash', height), false)) as string)]);
    }
    expect(toDisplay(chain.best().hash)).toBe(await ask('getbestblockhash'));
  });

  it('carries as many headers as there are near the first block', async () => {
    for (const height of [0, 5, 11, 12]) {
      await specNew({ ...bitcoin, height });
      expect(readChainSpec(out).genesis.bitcoin.headersBefore.length).toBe(Math.min(11, height));
    }
  });

  it('has bitcoind dump the unspent set as it was at that height, and leaves its chain where it was', async () => {
    const dump = join(directory, 'unspent.dat');
    const best = await ask('getbestblockhash');
    const said = await specNew({ ...bitcoin, height: HEIGHT, dump });
    const { unspent } = readChainSpec(out).genesis.bitcoin;
    expect(unspent === 'none' ? 'none' : toDisplay(unspent.hashSerialized)).toBe(unspentHash);
    expect(said).toContain(dump);
    expect(readFileSync(dump).subarray(0, 5).toString('latin1')).toBe('utxo\xff');
    expect(await ask('getbestblockhash')).toBe(best);
    rmSync(out);
    expect(await refusal({ ...bitcoin, height: HEIGHT, dump })).toMatch(/already exists/);
  });

  it('refuses, each with its reason, a height that is not there, another network, and two answers to one question', async () => {
    expect(await refusal({ ...bitcoin, height: HEIGHT + 11 })).toMatch(/has no block 131 yet: its best block is 130/);
    expect(await refusal({ ...bitcoin, height: HEIGHT + 11 })).not.toContain(bitcoind.password);
    expect(await refusal({ ...bitcoin, network: 'testnet4', height: 5000 })).toMatch(/is on "regtest"/);
    expect(await refusal({ ...bitcoin, height: 1, dump: 'x', 'unspent-hash': unspentHash })).toMatch(/not both/);
    expect(await refusal({ ...bitcoin, height: 1, 'signet-challenge': '51' })).toMatch(/is for signet/);
    expect(await refusal({ ...bitcoin, height: 1, template: join(directory, 'nowhere.json') })).toMatch(/cannot read .*nowhere\.json/);
    expect(await refusal({ ...bitcoin, height: 1, out: join(directory, 'nowhere', 'x.json') })).toMatch(/cannot write/);
  });
});

describe('hemid spec new on the other networks', () => {
  const VAULT = { mainnet: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', test: 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx' };
  const NAMES = { mainnet: 'main', testnet4: 'testnet4', signet: 'signet', regtest: 'regtest' };
  const UNSPENT = 'ab'.repeat(32);
  const headers: Uint8Array[] = [];
  const byHash = new Map<unknown, Uint8Array>();
  let network: BitcoinNetwork;
  let signetChallenge: string | undefined;
  let server: Server;
  let url: string;

  /** What bitcoind would answer, had it 2,040 blocks of these networks: their real ones are not to be had in a test. */
  function answer(method: string, [first]: unknown[]): unknown {
    if (method === 'getblockchaininfo') {
      const bestblockhash = toDisplay(hashBitcoinHeader(headers.at(-1) as Uint8Array));
      return { chain: NAMES[network], blocks: headers.length - 1, bestblockhash, signet_challenge: signetChallenge };
    }
    if (method === 'getblockhash') return toDisplay(hashBitcoinHeader(headers[first as number] as Uint8Array));
    return toDigits(byHash.get(first) as Uint8Array);
  }

  beforeAll(async () => {
    let previous = new Uint8Array(32);
    for (let time = 0; time <= 2040; time += 1) {
      const header = encodeBitcoinHeader({ version: 4, previous, merkleRoot: new Uint8Array(32), time, bits: 0x1d00ffff, nonce: 0 });
      headers.push(header);
      previous = Uint8Array.from(hashBitcoinHeader(header));
      byHash.set(toDisplay(previous), header);
    }
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        const { method, params } = JSON.parse(body) as { method: string; params: unknown[] };
        response.end(JSON.stringify({ result: answer(method, params), error: null }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    network = 'mainnet';
    signetChallenge = undefined;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('writes the 2,027 headers before the hVM genesis and the hash of the unspent set', async () => {
    await specNew({ network, bitcoind: url, height: 2030, vault: VAULT.mainnet, 'unspent-hash': UNSPENT, time: 1_800_000_000 });
    const { genesis } = readChainSpec(out);
    expect(genesis.time).toBe(1_800_000_000);
    expect(genesis.bitcoin.unspent).toEqual({ hashSerialized: fromHex(UNSPENT) });
    expect([genesis.bitcoin.genesisHeader, ...genesis.bitcoin.headersBefore].map(toDigits)).toEqual(
      [headers[2030] as Uint8Array, ...headers.slice(3, 2030)].map(toDigits),
    );
  });

  it('writes a vault as it is given, but its address in place of an extended key', async () => {
    const written = async (text: string): Promise<string> => {
      const vault = `${text}#${descriptorChecksum(text)}`;
      await specNew({ network, bitcoind: url, height: 2030, vault, 'unspent-hash': UNSPENT });
      const told = readChainSpec(out).genesis.tunnel.vault;
      expect(toDigits(vaultScript(told, 'mainnet'))).toBe(toDigits(readVaultDescriptor(vault, 'mainnet').script));
      return told;
    };
    const plain = 'wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)';
    expect(await written(plain)).toBe(`${plain}#${descriptorChecksum(plain)}`);
    rmSync(out);
    const xpub = 'xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL';
    expect(await written(`wpkh(${xpub}/1/2)`)).toMatch(/^bc1q/);
  });

  it('refuses a height with too few headers before it, an unspent set that nobody names, and a vault of another network', async () => {
    const base = { network, bitcoind: url, height: 2030, vault: VAULT.mainnet };
    expect(await refusal({ ...base, height: 2026, 'unspent-hash': UNSPENT })).toMatch(/2026 is too low for mainnet/);
    expect(await refusal(base)).toMatch(/--unspent-hash, or --dump/);
    expect(await refusal({ ...base, vault: VAULT.test, 'unspent-hash': UNSPENT })).toMatch(/not an address of mainnet/);
    expect(await refusal({ ...base, 'unspent-hash': 'xyz' })).toMatch(/unspentHash: must be 64/);
  });

  it('writes the challenge of a signet: the default one, or the one given if bitcoind has it too', async () => {
    network = 'signet';
    const base = { network, bitcoind: url, height: 2030, vault: VAULT.test, 'unspent-hash': UNSPENT };
    await specNew(base);
    expect(readChainSpec(out).genesis.bitcoin.signetChallenge).toEqual(DEFAULT_SIGNET_CHALLENGE);
    rmSync(out);
    signetChallenge = `21${'02'.repeat(33)}ac`;
    expect(await refusal(base)).toMatch(/another signet/);
    await specNew({ ...base, 'signet-challenge': signetChallenge });
    expect(toDigits(readChainSpec(out).genesis.bitcoin.signetChallenge as Uint8Array)).toBe(signetChallenge);
  });
});
