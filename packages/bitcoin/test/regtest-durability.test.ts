import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type BitcoinRpc, createBitcoindRpc, openRegtest } from '@hemid/bitcoin';
import { silentLogger, systemClock } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { type BitcoinWallet, buildTransaction, coinOf, createBitcoinWallet, createManualClock, signTransaction } from '@hemid/testkit';
import { Block, type Transaction } from 'bitcoinjs-lib';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'hemid-durable-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Served {
  child: ChildProcess;
  rpc: BitcoinRpc;
}

async function serveInChild(): Promise<Served> {
  const script = fileURLToPath(new URL('regtest-child.ts', import.meta.url));
  // tsx is found from the repository's root.
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@hemid/source', '--import', 'tsx', script, directory], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, rpc: createBitcoindRpc({ url, timeoutMs: 30_000 }) };
}

/** Twenty coins of one transaction, each ready to be spent by a signed transaction of its own. */
async function preparePayments(wallet: BitcoinWallet): Promise<Transaction[]> {
  const outputs = Array.from({ length: 20 }, () => ({ to: wallet.addresses.p2wpkh, valueSats: 1_000_000n }));
  const { tx: fan } = await wallet.pay({ outputs });
  return outputs.map((_, vout) => {
    const coin = coinOf(fan, vout);
    return signTransaction(
      buildTransaction({ inputs: [coin], outputs: [{ to: wallet.addresses.p2pkh, valueSats: 999_000n }] }),
      [coin],
      [wallet.secretKey],
    );
  });
}

/** Everything the chain says of itself, read back from its blocks, and compared with what it says of its unspent set. */
async function audit(rpc: BitcoinRpc): Promise<{ blocks: string[]; mined: Set<string>; pending: string[] }> {
  const height = (await rpc('getblockcount', [])) as number;
  const blocks: string[] = [];
  const mined = new Set<string>();
  const unspent = new Map<string, bigint>();
  for (let at = 0; at <= height; at += 1) {
    const hash = (await rpc('getblockhash', [at])) as string;
    const block = Block.fromHex((await rpc('getblock', [hash, 0])) as string);
    expect(block.getId()).toBe(hash);
    expect(block.checkTxRoots()).toBe(true);
    blocks.push(hash);
    for (const tx of at === 0 ? [] : (block.transactions ?? [])) {
      mined.add(tx.getId());
      for (const input of tx.isCoinbase() ? [] : tx.ins) {
        const key = `${Buffer.from(input.hash).reverse().toString('hex')}:${input.index}`;
        expect(unspent.delete(key)).toBe(true);
      }
      for (const [vout, { script, value }] of tx.outs.entries()) if (script[0] !== 0x6a) unspent.set(`${tx.getId()}:${vout}`, value);
    }
  }
  for (const [key, value] of unspent) {
    const [txid, vout] = key.split(':');
    expect(await rpc('gettxout', [txid, Number(vout), false])).toMatchObject({ value: Number(value) / 1e8 });
  }
  expect(await rpc('scantxoutset', ['start', ['raw(51)']])).toMatchObject({ txouts: unspent.size, height, bestblock: blocks.at(-1) });
  return { blocks, mined, pending: (await rpc('getrawmempool', [])) as string[] };
}

describe('the embedded regtest chain', () => {
  it('keeps every block and payment it has acknowledged when it is killed in the middle of its work', async () => {
    let served = await serveInChild();
    await createBitcoinWallet({ rpc: served.rpc, secret: 'durable' }).mine(110);
    for (const killAfter of [1, 4, 9, 15]) {
      const wallet = createBitcoinWallet({ rpc: served.rpc, secret: 'durable' });
      const payments = await preparePayments(wallet);
      await wallet.mine(1);
      const acknowledged = {
        blocks: (await served.rpc('getblockcount', [])) as number,
        tip: (await served.rpc('getbestblockhash', [])) as string,
        sent: [] as string[],
      };

      // Payments and blocks are all under way at once; the process dies as soon as some answers are there.
      const ended = once(served.child, 'exit');
      let answers = 0;
      const counted = async (call: Promise<unknown>): Promise<void> => {
        const result = await call.catch(() => undefined);
        if (result === undefined) return;
        answers += 1;
        if (Array.isArray(result)) Object.assign(acknowledged, { blocks: acknowledged.blocks + 1, tip: result[0] });
        else acknowledged.sent.push(result as string);
        if (answers === killAfter) served.child.kill('SIGKILL');
      };
      await Promise.all(
        payments.flatMap((tx, i) => [
          counted(served.rpc('sendrawtransaction', [tx.toHex()])),
          ...(i % 4 === 3 ? [counted(served.rpc('generatetoaddress', [1, wallet.addresses.p2tr]))] : []),
        ]),
      );
      await ended;
      expect(answers).toBeGreaterThanOrEqual(killAfter);

      const reopened = await openRegtest({ directory, clock: systemClock, log: silentLogger });
      const { blocks, mined, pending } = await audit(reopened.rpc);
      expect(blocks.length - 1).toBeGreaterThanOrEqual(acknowledged.blocks);
      expect(blocks).toContain(acknowledged.tip);
      for (const txid of acknowledged.sent) expect(mined.has(txid) || pending.includes(txid)).toBe(true);
      // What is still waiting can be mined: mempool and chain belong together.
      const [next] = (await reopened.rpc('generatetoaddress', [1, wallet.addresses.p2tr])) as [string];
      const { tx } = (await reopened.rpc('getblock', [next])) as { tx: string[] };
      expect(tx.slice(1).sort()).toEqual([...pending].sort());
      await reopened.close();
      served = await serveInChild();
    }
    served.child.kill('SIGKILL');
  }, 120_000);

  it('comes back as it was: tip, side branches, invalid marks, mempool', async () => {
    const store = await openMemoryStore();
    const open = () => openRegtest({ store, clock: createManualClock(1_750_000_000_000), log: silentLogger });
    const before = await open();
    const wallet = createBitcoinWallet({ rpc: before.rpc, secret: 'memory' });
    const blocks = await wallet.mine(110);
    const { tx } = await wallet.pay({ outputs: [{ to: wallet.addresses.p2tr, valueSats: 5_000_000n }] });
    const coin = coinOf(tx, 0);
    const child = signTransaction(
      buildTransaction({ inputs: [coin], outputs: [{ to: wallet.addresses.p2pkh, valueSats: 4_000_000n }] }),
      [coin],
      [wallet.secretKey],
    );
    await before.rpc('sendrawtransaction', [child.toHex()]);
    await wallet.mine(2);
    await before.rpc('invalidateblock', [await before.rpc('getbestblockhash', [])]);
    await before.rpc('invalidateblock', [blocks[108]]);
    await wallet.mine(1, 'p2tr');
    const questions: [string, unknown[]][] = [
      ['getblockchaininfo', []],
      ['getchaintips', []],
      ['getrawmempool', [true]],
      ['scantxoutset', ['start', [`addr(${wallet.addresses.p2wpkh})`]]],
    ];
    const ask = (rpc: BitcoinRpc): Promise<unknown[]> => Promise.all(questions.map(([method, params]) => rpc(method, params)));
    const was = await ask(before.rpc);
    await before.close();
    const after = await open();
    expect(await ask(after.rpc)).toEqual(was);
    await after.rpc('reconsiderblock', [blocks[108]]);
    expect(await after.rpc('getblockcount', [])).toBe(112);
    await after.close();
  });

  it('ends when it is told to stop, and can be opened again', async () => {
    const own = mkdtempSync(join(tmpdir(), 'hemid-stop-'));
    const clock = createManualClock(1_750_000_000_000);
    const regtest = await openRegtest({ directory: own, clock, log: silentLogger });
    const { url } = await regtest.serve({ host: '127.0.0.1', port: 0 });
    const rpc = createBitcoindRpc({ url, timeoutMs: 5000 });
    await clock.advance(7000);
    expect(await rpc('uptime', [])).toBe(7);
    expect(await rpc('stop', [])).toBe('Bitcoin Core stopping');
    await expect(regtest.rpc('getblockcount', [])).rejects.toMatchObject({ code: 'bitcoin/unreachable' });
    await expect(rpc('getblockcount', [])).rejects.toMatchObject({ severity: 'retry' });
    await regtest.close();
    const again = await openRegtest({ directory: own, clock, log: silentLogger });
    expect(await again.rpc('getblockcount', [])).toBe(0);
    await again.close();
    rmSync(own, { recursive: true });
  });

  it('mines blocks with times of the past when asked to, each later than its median time past', async () => {
    const regtest = await openRegtest({ store: await openMemoryStore(), clock: createManualClock(1_750_000_000_000), log: silentLogger });
    const { addresses } = createBitcoinWallet({ rpc: regtest.rpc, secret: 'past' });
    const hashes = await regtest.mine({ count: 20, address: addresses.p2wpkh, timeSeconds: (i) => 1_700_000_000 + i * 600 });
    const times = await Promise.all(hashes.map(async (hash) => ((await regtest.rpc('getblockheader', [hash])) as { time: number }).time));
    expect(times).toEqual(hashes.map((_, i) => 1_700_000_000 + i * 600));
    const [late] = await regtest.mine({ count: 1, address: addresses.p2wpkh, timeSeconds: () => 0 });
    expect(await regtest.rpc('getblockheader', [late])).toMatchObject({ time: 1_700_000_000 + 14 * 600 + 1 });
    await regtest.close();
  });
});
