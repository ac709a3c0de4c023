import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { tunnel } from '@hemid/contracts';
import { devVaultScript } from '@hemid/node';
import { concat, fromHex, type Hex, scriptToAddress, TUNNEL_ADDRESS, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import { layout, openStore } from '@hemid/store';
import { createBitcoinWallet, createLoadSigner, createSeededRandom, type ProgramProcess, waitFor } from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';
import { encodeFunctionData, keccak256 } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { expect } from 'vitest';
import { createCustodyProcesses } from './custodian-processes.ts';
import { numbered } from './custodian-scene.ts';

/** Of the random choices; `HEMID_SEED` sets another. */
export const SEED = Number(process.env['HEMID_SEED'] ?? 20_261_120);
const DEPOSIT_FEE = 2_000n;
const FEE = 3_000n;
/** What is waited for at most, in a process under load. */
export const PATIENCE_MS = 120_000;
/** What a block costs while fees are high, sats per vbyte: more than a batch pays by itself, so that custodians bump it. */
const SPIKE_RATE = 40;

/** Starts a sequencer and the first custodians of three, and keeps the books of what is deposited and asked for. */
export async function createCampaign(alive: number) {
  const scene = await createCustodyProcesses();
  const { bitcoind, ask } = scene;
  const { rpc } = bitcoind;
  const random = createSeededRandom(SEED + alive);
  const wallet = createBitcoinWallet({ rpc, secret: 'depositor' });
  for (let n = 0; n < 8; n += 1) {
    await scene.treasury.pay({ outputs: Array.from({ length: 12 }, () => ({ to: wallet.addresses.p2wpkh, valueSats: 100_000_000n })) });
  }
  await scene.equip();
  await scene.treasury.mine(2);
  const least = (await rpc('getblockcount', [])) as number;
  const key = mnemonicToAccount('test test test test test test test test test test test junk').getHdKey().privateKey as Uint8Array;
  const user = createLoadSigner(key, 743_555);

  const deposits: { tx: Transaction; recipient: Uint8Array; sats: bigint }[] = [];
  const asked: { raw: Hex; hash: Hex; script: Uint8Array; sats: bigint }[] = [];
  /** What other Bitcoin nodes would give a bitcoind that lost its last blocks. */
  const blocks = new Map<number, string>();
  const counts = { reorgs: 0, kills: 0, spikes: 0, blocks: 0 };
  let isSpike = false;

  const journal = (text: string): void => {
    const file = process.env['HEMID_CUSTODY_LOG'];
    if (file !== undefined) appendFileSync(file, `${text}\n`);
  };
  const height = async () => (await rpc('getblockcount', [])) as number;

  /** The transactions of the mempool that pay for a block while fees are high, each behind its parents. */
  async function payingWell(): Promise<string[]> {
    const pool = (await rpc('getrawmempool', [true])) as Record<string, { ancestorsize: number; fees: { ancestor: number }; depends: string[] }>;
    const chosen = new Set<string>();
    const add = (txid: string): void => {
      for (const parent of pool[txid]?.depends ?? []) add(parent);
      chosen.add(txid);
    };
    for (const [txid, { ancestorsize, fees }] of Object.entries(pool)) if ((fees.ancestor * 1e8) / ancestorsize >= SPIKE_RATE) add(txid);
    return [...chosen];
  }

  async function mine(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      counts.blocks += 1;
      const address = scriptToAddress(concat(Uint8Array.of(0, 20), numbered(0xbb, counts.blocks)), 'regtest') as string;
      if (isSpike) await rpc('generateblock', [address, await payingWell()]);
      else await rpc('generatetoaddress', [1, address]);
      const at = await height();
      blocks.set(at, (await rpc('getblock', [await rpc('getblockhash', [at]), 0])) as string);
    }
  }
  /** Replaces the last blocks by as many and one, after `meanwhile`; each block pays another address, so none comes twice. */
  async function reorg(depth: number, meanwhile: () => Promise<unknown> = async () => undefined): Promise<void> {
    const first = (await height()) - depth + 1;
    if (first <= least) return;
    counts.reorgs += 1;
    await rpc('invalidateblock', [await rpc('getblockhash', [first])]);
    for (let at = first; blocks.delete(at); at += 1);
    await meanwhile();
    await mine(depth + 1);
  }

  const l2Height = async () => Number(await ask<string>('eth_blockNumber'));
  async function rest(count: number): Promise<void> {
    const until = (await l2Height()) + count;
    await waitFor(async () => (await l2Height()) >= until, { timeoutMs: PATIENCE_MS, what: `L2 block ${until}` });
  }

  async function deposit(sats = BigInt(random.between(50_000, 900_000))): Promise<void> {
    if ((await wallet.coins()).length === 0) return;
    const recipient = numbered(0xde, deposits.length);
    const outputs = [
      { to: devVaultScript(), valueSats: sats },
      { to: concat(Uint8Array.of(0x6a, 20), recipient), valueSats: 0n },
    ];
    deposits.push({ ...(await wallet.pay({ outputs })), recipient, sats });
  }
  const send = (raw: Hex) => ask('eth_sendRawTransaction', raw);
  async function withdraw(sats = BigInt(random.between(40_000, 300_000))): Promise<void> {
    const script = concat(Uint8Array.of(0, 20), numbered(0xca, asked.length));
    const data = fromHex(encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(script)] }));
    const raw = toHex(user.sign({ nonce: asked.length, to: TUNNEL_ADDRESS, value: sats * WEI_PER_SAT, data, gas: 1_000_000n }));
    asked.push({ raw, hash: keccak256(raw), script, sats });
    await send(raw);
  }
  const succeeded = async (hash: Hex) => (await ask<{ status: string } | null>('eth_getTransactionReceipt', hash))?.status;
  /** Whoever sent something sends it again as long as it is not in the chain. */
  async function sendAgain(): Promise<void> {
    for (const { tx } of deposits.slice(-200)) await rpc('sendrawtransaction', [tx.toHex()]).catch(() => undefined);
    for (const { raw, hash } of asked.slice(-200)) if ((await succeeded(hash)) === undefined) await send(raw);
  }

  function raise(): void {
    isSpike = true;
    counts.spikes += 1;
    scene.wantRate(SPIKE_RATE);
  }
  function calm(): void {
    isSpike = false;
    scene.wantRate(undefined);
  }

  /** Miners of keystones pay what blocks cost. */
  async function publish(): Promise<void> {
    if ((await scene.treasury.coins()).length > 0) await scene.publish(isSpike ? 2 * SPIKE_RATE : undefined);
  }

  const programs: ProgramProcess[] = [];
  const outputs: string[] = [];
  async function kill(): Promise<void> {
    const which = random.between(0, alive + 1);
    counts.kills += 1;
    journal(`kill ${which}`);
    if (which === alive + 1) {
      await bitcoind.kill();
      await bitcoind.restart();
      for (const [, raw] of [...blocks].sort(([a], [b]) => a - b).slice(-300)) await rpc('submitblock', [raw]);
    } else {
      const program = programs[which] as ProgramProcess;
      if (program.end() !== undefined) throw new Error(`process ${which} ended by itself (${program.end()}):\n${program.output().slice(-4_000)}`);
      await program.kill();
      outputs.push(program.output());
      programs[which] = which === 0 ? await scene.startSequencer() : scene.startCustodian(which);
    }
    await sendAgain();
  }
  programs.push(await scene.startSequencer());
  for (let number = 1; number <= alive; number += 1) programs.push(scene.startCustodian(number));
  await mine(10);
  await rest(1);

  return {
    ...{ scene, wallet, random, deposits, asked, counts, journal, programs, mine, reorg, rest, deposit, withdraw, sendAgain, kill, succeeded },
    /** Lets fees rise just when custodians are about to pay, and leaves them the time to see that it is too little; or ends that. */
    async spike() {
      if (isSpike) return calm();
      // A keystone of the branch that Bitcoin is on now, behind a block that decides.
      await rest(7);
      await publish();
      await mine(11);
      raise();
      await rest(3);
      await mine(1);
    },
    raise,
    calm,
    publish,
    /** An error that says, to the journal too, what the processes said last before a campaign failed. */
    explain(cause: unknown): Error {
      const last = programs.map((program, which) => `===== process ${which}, ${program.end() ?? 'running'}\n${program.output().slice(-6_000)}`);
      const text = [String(cause), JSON.stringify(counts), ...last].join('\n');
      journal(text);
      return new Error(text, { cause });
    },
    /** All that the processes have written, those that were killed too. */
    written: () => [...outputs, ...programs.map((program) => program.output())].join('\n'),
  };
}

/** Processes, books and steps. */
export type Campaign = Awaited<ReturnType<typeof createCampaign>>;
/** What `hemi_getReserves` answers. */
export type Reserves = Record<'creditedSats' | 'requestedSats' | 'settledSats' | 'deficitSats', Hex> & {
  vaults: { sats: Hex }[];
  alarms: string[];
};

/** Reserves as soon as the sequencer says them: while a reorg moves its view of Bitcoin it answers with an error. */
export const readReserves = (scene: Campaign['scene']): Promise<Reserves> =>
  waitFor(async () => scene.ask<Reserves | undefined>('hemi_getReserves'), { timeoutMs: PATIENCE_MS, what: 'the reserves' });

/** Goes on until what is confirmed is credited, what is final is paid, and what is paid is settled. */
export async function drain({ scene, mine, rest, sendAgain, publish, asked, succeeded, calm, journal }: Campaign): Promise<void> {
  calm();
  await sendAgain();
  for (let round = 0; ; round += 1) {
    await mine(7);
    await rest(3);
    const reserves = await readReserves(scene);
    const waiting = (await Promise.all(asked.slice(-200).map(({ hash }) => succeeded(hash)))).filter((status) => status === undefined).length;
    journal(`drain ${round}: ${waiting} not in the chain, ${JSON.stringify(reserves)}`);
    if (waiting === 0 && BigInt(reserves.requestedSats) === BigInt(reserves.settledSats)) return;
    if (round > 20 + asked.length) throw new Error('withdrawals are not paid');
    await rest(6);
    await publish();
    await mine(11);
    const hasBatch = async () => ((await scene.bitcoind.rpc('getrawmempool', [])) as string[]).length > 0;
    // Some rounds have nothing to pay: then the next one is begun.
    await waitFor(hasBatch, { timeoutMs: 15_000, what: 'a batch' }).catch(() => undefined);
  }
}

/** Every deposit credited once, every withdrawal paid once, reserves, supply to the wei, one head for all. */
export async function audit({ scene, deposits, asked, succeeded, programs, journal, counts, written }: Campaign): Promise<void> {
  for (const { recipient, sats } of deposits) {
    const balance = await scene.ask<Hex>('eth_getBalance', toHex(recipient), 'latest');
    expect(`${toHex(recipient)} ${BigInt(balance)}`).toBe(`${toHex(recipient)} ${(sats - DEPOSIT_FEE) * WEI_PER_SAT}`);
  }
  const expected: string[] = [];
  for (const { hash, script, sats } of asked) if ((await succeeded(hash)) === '0x1') expected.push(`${toDigits(script)} ${sats - FEE}`);
  const scan = (await scene.bitcoind.rpc('scantxoutset', ['start', asked.map(({ script }) => `raw(${toDigits(script)})`)])) as {
    unspents: { amount: number; scriptPubKey: string }[];
  };
  const paid = scan.unspents.map(({ amount, scriptPubKey }) => `${scriptPubKey} ${Math.round(amount * 1e8)}`);
  expect(paid.sort()).toEqual(expected.sort());

  const reserves = await readReserves(scene);
  const held = reserves.vaults.reduce((sum, { sats }) => sum + BigInt(sats), 0n);
  const owed = BigInt(reserves.creditedSats) - BigInt(reserves.settledSats);
  expect(held).toBeGreaterThanOrEqual(owed);
  expect(reserves.alarms).toEqual([]);
  for (const [which, program] of programs.entries()) expect(`${which} ${program.end()}`).toBe(`${which} undefined`);
  const stops = written()
    .split('\n')
    .filter((line) => /"level":(50|"error")/.test(line) && !/ECONNREFUSED|cannot be reached/.test(line));
  expect(stops).toEqual([]);
  const bumps = [...written().matchAll(/"bumped \w+ with/g)].length;
  const batches = new Set([...written().matchAll(/\((\w+)\) is complete and sent/g)].map(([, txid]) => txid)).size;
  journal(
    `${deposits.length} deposits, ${expected.length} of ${asked.length} withdrawals taken and paid, ${JSON.stringify({ ...counts, batches, bumps })}`,
  );

  // Nothing more is asked: the sequencer's books say what all coins come to.
  const blockHash = async (tag: string) => fromHex((await scene.ask<{ hash: Hex }>('eth_getBlockByNumber', tag, false)).hash);
  const [first, last] = [await blockHash('earliest'), await blockHash('latest')];
  await Promise.all(programs.map((program) => program.stop()));
  const store = await openStore(join(scene.directory, 'sequencer', 'node'));
  const supplyAt = (hash: Uint8Array): bigint => store.get(layout.supply, hash) as bigint;
  const supply = supplyAt(last) - supplyAt(first);
  await store.close();
  expect(supply).toBe(owed * WEI_PER_SAT);
}
