import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBitcoindRpc } from '@hemid/bitcoin';
import { createRpcDeps, devKey, devVaultScript } from '@hemid/node';
import { descriptorChecksum, fromHex, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { createRpcServer, type RpcServer } from '@hemid/rpc';
import { loadConfig, silentLogger } from '@hemid/runtime';
import { type Bitcoind, createRealBitcoin, createTestNetwork, devSpecJson, openBitcoindDoor, startBitcoind, type TestNetwork } from '@hemid/testkit';
import { Psbt } from 'bitcoinjs-lib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { depositConfig, runTunnelDeposit } from '../src/deposit-command.ts';

const RECIPIENT = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const directory = mkdtempSync(join(tmpdir(), 'hemid-deposit-'));
const chain = join(directory, 'chain.json');

let bitcoind: Bitcoind;
let network: TestNetwork;
let server: RpcServer;
let url: string;
/** Of the wallet "cold": four addresses with a coin of 0.01 to 0.04 BTC each, and the descriptor that they come from. */
const addresses: string[] = [];
let account: string;

const ask = async <T>(method: string, ...params: unknown[]): Promise<T> => (await bitcoind.rpc(method, params)) as T;
/** Asks a wallet of bitcoind. */
const within = async <T>(wallet: 'cold' | 'watch' | 'keeper', method: string, ...params: unknown[]): Promise<T> =>
  (await createBitcoindRpc({ url: `${url}/wallet/${wallet}`, timeoutMs: 30_000 })(method, params)) as T;

/** Runs the command as its flags are typed. */
async function deposit(flags: Record<string, string | true>): Promise<string> {
  const all: Record<string, string | true> = { chain, to: RECIPIENT, amount: '0.01', ...flags };
  const argv = Object.entries(all).flatMap(([flag, value]) => (value === true ? [`--${flag}`] : [`--${flag}`, value]));
  return runTunnelDeposit(loadConfig(depositConfig, { argv, env: {}, envPrefix: 'HEMID' }));
}

interface Printed {
  psbt: string;
  vault: string;
  creditedSats: string;
  recipientScript: string;
  isFunded: boolean;
  feeSats: string | null;
  uri: string;
}

const printed = async (flags: Record<string, string | true> = {}): Promise<Printed> => JSON.parse(await deposit({ json: true, ...flags })) as Printed;
const refusal = (flags: Record<string, string | true>): Promise<string> =>
  deposit(flags).then(
    (text) => `printed: ${text}`,
    (error: Error) => error.message,
  );
/** The command with the watch-only wallet. */
const watching = (flags: Record<string, string | true>): Record<string, string | true> => ({ bitcoind: url, wallet: 'watch', ...flags });

interface Decoded {
  tx: { vin: { txid: string; vout: number }[]; vout: { value: number; scriptPubKey: { hex: string; address?: string } }[] };
}

beforeAll(async () => {
  bitcoind = await startBitcoind();
  url = bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
  network = await createTestNetwork({ bitcoin: await createRealBitcoin(bitcoind.rpc) });
  writeFileSync(chain, JSON.stringify(await devSpecJson(bitcoind.rpc, network.spec.genesis.time)));
  server = createRpcServer(createRpcDeps(network.sequencer.node, { clock: network.clock, log: silentLogger }), { host: '127.0.0.1', port: 0 });
  await server.start(new AbortController().signal);

  await ask('createwallet', 'cold');
  for (let i = 0; i < 4; i += 1) addresses.push(await within('cold', 'getnewaddress', '', 'bech32'));
  const { descriptors } = await within<{ descriptors: { desc: string; internal: boolean }[] }>('cold', 'listdescriptors');
  for (const name of ['watch', 'keeper']) await ask('createwallet', name, true, true);
  const watched = descriptors.map(({ desc, internal }) => ({ desc, internal, active: true, timestamp: 'now' }));
  await within('watch', 'importdescriptors', watched);
  // Of a custodian: the vault is watched too, and bitcoind takes any coin that it watches.
  await within('keeper', 'importdescriptors', watched);
  account = descriptors.find(({ desc, internal }) => desc.startsWith('wpkh(') && !internal)?.desc ?? '';
  await network.bitcoin.wallet.pay({ outputs: addresses.map((to, i) => ({ to, valueSats: BigInt(i + 1) * 1_000_000n })) });
  await network.bitcoin.mineBlocks(1);
});
afterAll(async () => {
  await server.stop();
  await network.close();
  await bitcoind.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe('the coins that pay are', () => {
  test('those of one address, no more than are needed, and the change goes back to it', async () => {
    const from = addresses[3] as string;
    const { tx } = await ask<Decoded>('decodepsbt', (await printed(watching({ from, amount: '100000sats', 'fee-rate': '3' }))).psbt);
    expect(tx.vin).toHaveLength(1);
    expect(tx.vout.map(({ scriptPubKey }) => scriptPubKey.address)[2]).toBe(from);
    expect(await refusal(watching({ from, amount: '1btc' }))).toMatch(/insufficient|not cover/i);
  });

  test('those of a descriptor, as many of them as it takes', async () => {
    const { tx } = await ask<Decoded>('decodepsbt', (await printed(watching({ from: account, amount: '0.06' }))).psbt);
    expect(tx.vin).toHaveLength(2);
    const strange = `wpkh(${toDigits(devKey('miner').publicKey)})`;
    expect(await refusal(watching({ from: strange }))).toMatch(/knows no confirmed coin of wpkh/);
    expect(await refusal(watching({ from: 'wpkh(abc)' }))).toMatch(/pubkey|not valid/i);
  });

  test('those that are named', async () => {
    const [coin] = await within<{ txid: string; vout: number }[]>('watch', 'listunspent', 1, 999, [addresses[2]]);
    const utxo = `${coin?.txid}:${coin?.vout}`;
    const { tx } = await ask<Decoded>('decodepsbt', (await printed(watching({ utxo, amount: '1000000 sats' }))).psbt);
    expect(tx.vin).toMatchObject([{ txid: coin?.txid, vout: coin?.vout }]);
  });

  test('none of the vault', async () => {
    const keys = [1, 2, 3].map((i) => toDigits(devKey(`custodian ${i}`).publicKey)).join(',');
    const desc = `wsh(sortedmulti(2,${keys}))`;
    await within('keeper', 'importdescriptors', [{ desc: `${desc}#${descriptorChecksum(desc)}`, timestamp: 'now' }]);
    const { txid } = await network.bitcoin.wallet.pay({ outputs: [{ to: devVaultScript(), valueSats: 5_000_000n }] });
    await network.bitcoin.mineBlocks(1);
    expect(await refusal({ bitcoind: url, wallet: 'keeper', utxo: `${txid}:0` })).toMatch(/coins of the vault/);
  });
});

test('a watch-only wallet funds the deposit, the wallet with the keys signs it, and it is credited', async () => {
  const { sequencer, bitcoin } = network;
  const balance = async () => (await sequencer.node.chain.stateAt(sequencer.node.chain.head('latest')).account(fromHex(RECIPIENT)))?.balance ?? 0n;
  const before = await balance();
  const { psbt, creditedSats, feeSats, isFunded } = await printed(watching({ rpc: server.url(), payload: '0xc0ffee' }));
  expect(isFunded).toBe(true);
  expect(Number(feeSats)).toBeGreaterThan(0);
  const signed = await within<{ psbt: string; complete: boolean }>('cold', 'walletprocesspsbt', psbt);
  expect(signed.complete).toBe(true);
  const { hex } = await ask<{ hex: string }>('finalizepsbt', signed.psbt);
  await ask('sendrawtransaction', hex);
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  expect(((await balance()) - before) / WEI_PER_SAT).toBe(BigInt(creditedSats));
  expect(creditedSats).toBe('998000');
});

describe('a wallet is not believed:', () => {
  type Output = { script: Uint8Array; value: bigint };
  const stranger = fromHex(`0x0014${'ee'.repeat(20)}`);
  /** Runs the command with a wallet that lies about what it has funded. */
  async function refusalOf(change: (outputs: Output[]) => Output[], more: Record<string, string> = {}): Promise<string> {
    const lie = (text: string): string => {
      const [honest, other] = [Psbt.fromBase64(text), new Psbt()];
      for (const [i, { hash, index, sequence }] of honest.txInputs.entries())
        other.addInput({ hash, index, sequence: sequence as number, ...honest.data.inputs[i] });
      return other.addOutputs(change(honest.txOutputs.map(({ script, value }) => ({ script, value })))).toBase64();
    };
    const walletcreatefundedpsbt = (result: unknown) => ({ ...(result as object), psbt: lie((result as { psbt: string }).psbt) });
    const door = await openBitcoindDoor(bitcoind, { walletcreatefundedpsbt });
    try {
      return await refusal({ bitcoind: door.url, wallet: 'watch', ...more });
    } finally {
      door.close();
    }
  }

  test('a PSBT as it should be is printed', async () => {
    expect(await refusalOf((outputs) => outputs)).toMatch(/^printed: /);
    expect(await refusalOf((outputs) => outputs, { from: addresses[3] as string })).toMatch(/^printed: /);
  });

  const lies: [string, (outputs: Output[]) => Output[], RegExp][] = [
    ['pays somebody else instead of the vault', ([vault, ...rest]) => [{ ...(vault as Output), script: stranger }, ...rest], /another output 0/],
    ['pays the vault less', ([vault, ...rest]) => [{ ...(vault as Output), value: 999_999n }, ...rest], /another output 0/],
    ['names nobody', ([vault, , ...rest]) => [vault as Output, ...rest], /another output 1/],
    [
      'names somebody else',
      ([vault, , ...rest]) => [vault as Output, { script: fromHex(`0x6a14${'ee'.repeat(20)}`), value: 0n }, ...rest],
      /another output 1/,
    ],
    ['has the outputs in another order', ([vault, name, ...rest]) => [name as Output, vault as Output, ...rest], /another output 0/],
    [
      'pays a part of the change to somebody else',
      ([vault, name, change]) => [vault, name, { ...change, value: (change?.value ?? 0n) - 5_000n }, { script: stranger, value: 5_000n }] as Output[],
      /has 4 outputs/,
    ],
    [
      'pays its change to the vault',
      ([vault, name, change]) => [vault, name, { ...change, script: vault?.script }] as Output[],
      /change to the vault/,
    ],
    ['pays a higher fee than it says', ([vault, name]) => [vault, name] as Output[], /pays \d+ sats to miners, not the \d+ that the wallet said/],
  ];
  test.each(lies)('one that %s is refused', async (_, change, reason) => {
    expect(await refusalOf(change)).toMatch(reason);
  });

  test('one that takes its change away from the address that pays is refused', async () => {
    const change = ([vault, name, own]: Output[]) => [vault, name, { ...own, script: stranger }] as Output[];
    expect(await refusalOf(change, { from: addresses[3] as string })).toMatch(/change to another address than --from/);
  });
});

test('without a node it says what to pay: address, output, URI, QR code, and a PSBT without inputs', async () => {
  const { psbt, vault, recipientScript, uri, isFunded, feeSats } = await printed();
  expect([isFunded, feeSats]).toEqual([false, null]);
  const { tx } = await ask<Decoded>('decodepsbt', psbt);
  expect(tx.vin).toEqual([]);
  expect(tx.vout.map(({ value, scriptPubKey }) => [value, `0x${scriptPubKey.hex}`])).toEqual([
    [0.01, toHex(devVaultScript())],
    [0, recipientScript],
  ]);
  expect(recipientScript).toBe(`0x6a14${RECIPIENT.slice(2).toLowerCase()}`);
  expect(uri).toBe(`bitcoin:${vault}?amount=0.01000000&req-op_return_raw=14${RECIPIENT.slice(2).toLowerCase()}`);
  const text = await deposit({});
  for (const part of [vault, recipientScript.slice(2), uri, psbt, '998000 sats', RECIPIENT, '█']) expect(text).toContain(part);
});

test('an amount with a point is BTC, one without is sats, and a unit says which', async () => {
  const credited = async (amount: string) => (await printed({ amount })).creditedSats;
  expect(await credited('0.01')).toBe('998000');
  expect(await credited('1000000')).toBe('998000');
  expect(await credited('1000000sats')).toBe('998000');
  expect(await credited('1btc')).toBe('99998000');
});

test('what would be no deposit is refused, each with its reason', async () => {
  const wrong: [Record<string, string | true>, RegExp][] = [
    [{ amount: '49999' }, /no deposit: it pays the vault 49999 sats, and 50000 is the minimum/],
    [{ amount: '1' }, /50000 is the minimum/],
    [{ amount: '0.000000001' }, /amount: must look like/],
    [{ amount: '1e5' }, /amount: must look like/],
    [{ to: RECIPIENT.replace('C8', 'c8') }, /to: has a wrong checksum \(EIP-55\)/],
    [{ to: 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202' }, /to: must be 0x and 40 hex digits/],
    [{ payload: `0x${'00'.repeat(61)}` }, /at most 60 bytes/],
    // Forty ASCII digits are an address of their own, and 80 bytes from "HEMI" on a keystone.
    [{ to: `0x${'30'.repeat(20)}`, payload: `0x${'31'.repeat(20)}` }, /would be read as another one/],
    [{ to: `0x48454d49${'00'.repeat(16)}`, payload: `0x${'00'.repeat(60)}` }, /names no recipient/],
    [{ from: 'x', utxo: `${'00'.repeat(32)}:0` }, /not both/],
    [{ from: addresses[0] as string }, /need --bitcoind/],
    [{ utxo: 'abc' }, /must be <txid>:<vout>/],
  ];
  for (const [flags, reason] of wrong) expect(await refusal(flags)).toMatch(reason);
});

test('a spec of another chain, or one whose vault is no longer in force, is refused when a node can be asked', async () => {
  expect(await refusal({ rpc: server.url() })).toMatch(/^printed/);
  network.upgrade({ vault: 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202' });
  await network.sequencer.build();
  expect(await refusal({ rpc: server.url() })).toMatch(/the vault in force is bcrt1qqqq.*fetch the chain's newest spec/);
  const other = join(directory, 'other.json');
  writeFileSync(other, JSON.stringify(await devSpecJson(bitcoind.rpc, network.spec.genesis.time)));
  expect(await refusal({ rpc: server.url(), chain: other })).toMatch(/another chain than --chain/);
});
