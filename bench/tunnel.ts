import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createNode, createProvenanceDeps, devKey, devVaultScript, type Node } from '../apps/node/src/index.ts';
import { isKeystone } from '../packages/chain/src/index.ts';
import {
  concat,
  decodeSealedBlock,
  encodeSealedBlock,
  fromDisplay,
  fromHex,
  parseChainSpec,
  type SealedBlock,
  TUNNEL_TYPE,
} from '../packages/protocol/src/index.ts';
import { buildProof, decodeProof, encodeProof, verifyProof } from '../packages/provenance/src/index.ts';
import { Secret, silentLogger } from '../packages/runtime/src/index.ts';
import { openStore, type Store } from '../packages/store/src/index.ts';
import { createEmbeddedBitcoin } from '../packages/testkit/src/bitcoin-actor.ts';
import { buildTransaction, coinOf, signTransaction } from '../packages/testkit/src/bitcoin-wallet.ts';
import { devSpecJson } from '../packages/testkit/src/dev-spec.ts';
import { createManualClock } from '../packages/testkit/src/manual-clock.ts';
import { publishKeystone } from '../packages/testkit/src/pop-publisher.ts';

/*
 * npm run bench -- tunnel [--deposits 1000]: so many deposits in one Bitcoin block (embedded regtest), under the limits
 * of a public chain: how many L2 blocks credit them, what a sequencer and a verifier, both on disk, take for one; then the
 * proof of one of them. Time on the chain is the manual clock's. The last line is JSON.
 */

const { values } = parseArgs({ options: { deposits: { type: 'string', default: '1000' } } });
const deposits = Number(values.deposits);
/** Slots of a public chain: 12 s, a keystone every 25. */
const LIMITS = { blockTime: 12, keystonePeriod: 25 };
const VALUE_SATS = 100_000n;
const CHECKS = 21;

const directory = mkdtempSync(join(process.env['HEMID_BENCH_TMP'] ?? tmpdir(), 'hemid-bench-'));
const clock = createManualClock(1_800_000_000_000);
const bitcoin = await createEmbeddedBitcoin(clock);
const json = (await devSpecJson(bitcoin.rpc, Math.floor(clock.now() / 1000))) as { genesis: Record<string, unknown> };
const spec = parseChainSpec({ ...json, genesis: { ...json.genesis, ...LIMITS } });
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
/** Processor time of all threads: what it costs, even on a busy machine. */
const cpuMs = (): number => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

const stores: Store[] = [];
async function open(name: 'sequencer' | 'verifier'): Promise<Node> {
  const store = await openStore(join(directory, name));
  stores.push(store);
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const upstream = { sealedBlocks: async () => [], bitcoinBlock: async () => undefined, sendTransaction: async (raw: Uint8Array) => raw };
  const role =
    name === 'sequencer'
      ? ({ kind: 'sequencer', key: new Secret(devKey('sequencer').secret) } as const)
      : ({ kind: 'verifier', upstream, pollMs: 1000 } as const);
  return createNode({ spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure }, { bitcoinPollMs: 1000, role });
}

/** Puts the deposits, each of its own coin and for its own recipient, into one Bitcoin block. @returns their txids. */
async function makeDeposits(): Promise<string[]> {
  const { wallet } = bitcoin;
  const outputs = Array.from({ length: deposits }, () => ({ to: wallet.scripts.p2wpkh, valueSats: VALUE_SATS + 1_000n }));
  const { tx: parent } = await wallet.pay({ outputs });
  await bitcoin.mineBlocks(1);
  const txids: string[] = [];
  for (let i = 0; i < deposits; i += 1) {
    const recipient = fromHex((0xaa0000 + i).toString(16).padStart(40, '0'));
    const coin = coinOf(parent, i);
    const pays = [
      { to: devVaultScript(), valueSats: VALUE_SATS },
      { to: concat(Uint8Array.of(0x6a, 20), recipient), valueSats: 0n },
    ];
    const tx = signTransaction(buildTransaction({ inputs: [coin], outputs: pays }), [coin], [wallet.secretKey]);
    txids.push((await bitcoin.rpc('sendrawtransaction', [tx.toHex()])) as string);
  }
  await bitcoin.mineBlocks(spec.genesis.tunnel.confirmations);
  return txids;
}

const node = await open('sequencer');
async function build(): Promise<SealedBlock> {
  await clock.advance(spec.genesis.blockTime * 1000);
  await node.bitcoinSync.pull();
  const sealed = await node.duty?.tick();
  await node.settled();
  if (sealed === undefined) throw new Error('the sequencer built no block in this slot');
  return sealed;
}

const txids = await makeDeposits();
await node.bitcoinSync.pull();
const sealed: SealedBlock[] = [];
let credited = 0;
let gas = 0n;
const sequencerCpu = cpuMs();
const sequencerStart = performance.now();
while (credited < deposits) {
  const block = await build();
  const receipts = (node.chain.receipts(block.hash) ?? []).filter(({ type }) => type === TUNNEL_TYPE);
  if (receipts.length === 0 || !receipts.every(({ succeeded }) => succeeded)) throw new Error(`block ${block.block.header.number} credits nothing`);
  credited += receipts.length;
  gas += receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n);
  sealed.push(decodeSealedBlock(encodeSealedBlock(block)));
}
const built = { ms: performance.now() - sequencerStart, cpuMs: cpuMs() - sequencerCpu };
console.log(`${credited} deposits of one Bitcoin block in ${sealed.length} L2 blocks, ${Math.round(built.ms)} ms`);

const verifier = await open('verifier');
await verifier.bitcoinSync.pull();
const verifierCpu = cpuMs();
const verifierStart = performance.now();
for (const block of sealed) await verifier.chain.import(block);
const verified = { ms: performance.now() - verifierStart, cpuMs: cpuMs() - verifierCpu };
console.log(`verified again in ${Math.round(verified.ms)} ms`);

// The proof of one in the middle: its keystone is published, and ten blocks stand on it.
let head = sealed[sealed.length - 1] as SealedBlock;
while (!isKeystone(spec, head.block.header.number)) head = await build();
await publishKeystone(bitcoin.wallet, node.chain.keystone({ header: head.block.header, hash: head.hash }));
await bitcoin.mineBlocks(spec.genesis.finality.super + 1);
await node.bitcoinSync.pull();
await node.settled();
const buildStart = performance.now();
const { proof, provenance, missing } = await buildProof(createProvenanceDeps(node), { hash: fromHex(txids[Math.floor(deposits / 2)] as string) });
const buildMs = performance.now() - buildStart;
if (proof === undefined || provenance.bitcoin === undefined) throw new Error(`no proof: ${missing}`);
const text = encodeProof(proof);
const checkpoint = { height: provenance.bitcoin.checkpoint.height, hash: fromDisplay(provenance.bitcoin.checkpoint.hash) };
const [checkMs, checkCpuMs]: [number[], number[]] = [[], []];
for (let i = 0; i < CHECKS; i += 1) {
  const [start, cpu] = [performance.now(), cpuMs()];
  verifyProof(decodeProof(text), { spec, checkpoint });
  checkMs.push(performance.now() - start);
  checkCpuMs.push(cpuMs() - cpu);
}

const round = (value: number): number => Math.round(value * 100) / 100;
console.log(
  JSON.stringify({
    deposits,
    blocks: sealed.length,
    chainSeconds: sealed.length * spec.genesis.blockTime,
    gasPerDeposit: Number(gas) / deposits,
    buildMsPerDeposit: round(built.ms / deposits),
    buildCpuMsPerDeposit: round(built.cpuMs / deposits),
    verifyMsPerDeposit: round(verified.ms / deposits),
    verifyCpuMsPerDeposit: round(verified.cpuMs / deposits),
    proof: {
      bytes: text.length,
      l2Headers: proof.headers.length,
      bitcoinHeaders: proof.bitcoin.headers.length / 80,
      buildMs: round(buildMs),
      checkMs: round(median(checkMs)),
      checkCpuMs: round(median(checkCpuMs)),
    },
  }),
);
for (const store of stores) await store.close();
await bitcoin.close();
rmSync(directory, { recursive: true, force: true });
process.exit(0);
