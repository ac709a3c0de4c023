import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createNode, devKey } from '../apps/node/src/index.ts';
import type { Chain } from '../packages/chain/src/index.ts';
import { decodeUserTransaction } from '../packages/hvm/src/index.ts';
import { decodeSealedBlock, encodeSealedBlock, parseChainSpec, type SealedBlock, signSeal } from '../packages/protocol/src/index.ts';
import { silentLogger, systemClock } from '../packages/runtime/src/index.ts';
import { openStore, type Store } from '../packages/store/src/index.ts';
import { createEmbeddedBitcoin } from '../packages/testkit/src/bitcoin-actor.ts';
import { devSpecJson } from '../packages/testkit/src/dev-spec.ts';
import { allocation, GAS_LIMIT, type Kind, signAll } from './engine-load.ts';

/*
 * `import KIND ACCOUNTS PER_BLOCK BLOCKS`: builds blocks on one node, imports them on another, both on disk.
 * `growth …`: only builds. Writes one JSON line.
 */

const [what, kind, accountsText, perBlockText, blocksText] = process.argv.slice(2);
const [accounts, perBlock, blocks] = [Number(accountsText), Number(perBlockText), Number(blocksText)];

const directory = mkdtempSync(join(process.env['HEMID_BENCH_TMP'] ?? tmpdir(), 'hemid-bench-'));
const clock = systemClock;
const bitcoin = await createEmbeddedBitcoin(clock);
const time = Math.floor(clock.now() / 1000) - 100;
const json = (await devSpecJson(bitcoin.rpc, time)) as { genesis: Record<string, unknown> };
const spec = parseChainSpec({ ...json, genesis: { ...json.genesis, gasLimit: GAS_LIMIT, blockTime: 1, allocation: allocation(accounts) } });
const key = devKey('sequencer').secret;
const [sequencer] = spec.genesis.sequencers;
if (sequencer === undefined) throw new Error('the spec has no sequencer');

const stores: Store[] = [];
async function open(name: string): Promise<Chain> {
  const store = await openStore(join(directory, name));
  stores.push(store);
  const upstream = { sealedBlocks: async () => [], bitcoinBlock: async () => undefined, sendTransaction: async (raw: Uint8Array) => raw };
  const role = { kind: 'verifier', upstream, pollMs: 1000 } as const;
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const deps = { spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure };
  const node = await createNode(deps, { bitcoinPollMs: 1000, role });
  await node.bitcoinSync.pull();
  return node.chain;
}

const builder = await open('builder');
const raws = signAll(kind as Kind, { count: perBlock * blocks, accounts, firstNonce: 0 });
const sealed: SealedBlock[] = [];
if (what === 'growth') {
  // A genesis of so many accounts is the measure's, not a chain's: what it took in memory is no part of a block's time.
  spec.genesis.allocation = {};
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
const buildMs: number[] = [];
/** Processor time of all threads: what it costs, even on a busy machine. */
const cpuMs = (): number => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
const buildCpuMs: number[] = [];
/** Processor time of the main thread alone, which is what limits a node; Linux has it. */
function mainCpuMs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}
const buildMainMs: number[] = [];
for (let i = 0; i < blocks; i += 1) {
  const transactions = raws.slice(i * perBlock, (i + 1) * perBlock).map((raw) => decodeUserTransaction(raw, builder.execution.common));
  const started = performance.now();
  const cpuBefore = cpuMs();
  const mainBefore = mainCpuMs();
  const choice = { parent: builder.head('latest'), timestamp: BigInt(time + i + 1), beneficiary: sequencer.feeRecipient, attributes: undefined };
  const block = await builder.build(
    choice,
    async ({ execution }) => {
      for (const transaction of transactions) await execution.user(transaction);
    },
    (hash) => signSeal(key, BigInt(spec.genesis.chainId), hash),
  );
  buildMs.push(performance.now() - started);
  buildCpuMs.push(cpuMs() - cpuBefore);
  buildMainMs.push(mainCpuMs() - mainBefore);
  sealed.push(decodeSealedBlock(encodeSealedBlock(block)));
}
const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const perTx = (list: number[]): number => Math.round((median(list) * 1000) / perBlock);
const result: Record<string, number> = {
  buildMs: Math.round(median(buildMs) * 100) / 100,
  buildUsPerTx: perTx(buildMs),
  buildCpuUsPerTx: perTx(buildCpuMs),
  buildMainUsPerTx: perTx(buildMainMs),
  buildMainMsMean: Math.round((buildMainMs.reduce((sum, one) => sum + one, 0) / blocks) * 100) / 100,
};
if (what === 'import') {
  const verifier = await open('verifier');
  const importMs: number[] = [];
  const importCpuMs: number[] = [];
  for (const block of sealed) {
    const started = performance.now();
    const cpuBefore = cpuMs();
    await verifier.import(block);
    importMs.push(performance.now() - started);
    importCpuMs.push(cpuMs() - cpuBefore);
  }
  result['importPerS'] = Math.round((perBlock * 1000) / median(importMs));
  result['importUsPerTx'] = perTx(importMs);
  result['importCpuUsPerTx'] = perTx(importCpuMs);
}
console.log(JSON.stringify(result));
rmSync(directory, { recursive: true, force: true });
process.exit(0);
