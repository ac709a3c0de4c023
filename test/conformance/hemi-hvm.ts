import {
  type BitcoinBlock,
  type BlockStore,
  bitcoinIndex,
  type ChainHeader,
  createBitcoinView,
  createWalker,
  type HeaderChain,
  indexTipOf,
  openHeaderChain,
  toBitcoinTransaction,
} from '@hemid/bitcoin';
import { bindAll } from '@hemid/hvm';
import { type BitcoinView, type ChainSpec, fromHex, hashBitcoinHeader, toDigits, toDisplay } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import { labSpec } from '@hemid/testkit';
import { Block } from 'bitcoinjs-lib';
import type { SharedData } from './data.ts';
import { expectHex, expectSame } from './expect.ts';
import type { Report } from './report.ts';

interface PrecompileCase {
  precompile: string;
  input: string;
  /** Empty = success without output; `null` = the call fails. */
  output: string | null;
  note: string;
}

interface HvmVectors {
  syntheticSpendChain: { genesisHeader: string; blocks: string[]; blockHashes: string[]; txids: Record<string, string>; cases: PrecompileCase[] };
  confirmationsFrozenEdge: { cases: ({ upstreamHeight: number } & ({ txHeights: number[]; out: number[] } | { txHeight: number; out: string }))[] };
  walkBackTipLag: { cases: [tipHeight: number, genesisHeight: number, lag: number, walks: boolean][] };
  regtestSimpleChain: { genesis: { header: string; hashInternal: string }; headers: string[]; hashesInternal: string[] };
}

type Quirks = ChainSpec['genesis']['quirks'];

const PLENTY = 1_000_000n;
const SPENT_NOTE = 'spent output';

/**
 * Bodies that are handed out without a look at their witness commitment, as the vectors ask: their third block has
 * witnesses and no commitment. Everything above, headers, index and view, is the node's own.
 */
function createUncheckedBlocks(raws: readonly Uint8Array[]): BlockStore {
  const byHash = new Map(raws.map((raw) => [toDigits(hashBitcoinHeader(raw.slice(0, 80))), raw]));
  const refuse = async (): Promise<never> => {
    throw new Error('the blocks of the vectors are given');
  };
  const readRaw = (hash: Uint8Array): Uint8Array | undefined => byHash.get(toDigits(hash));
  return {
    has: (hash) => readRaw(hash) !== undefined,
    readRaw,
    get(hash): BitcoinBlock {
      const raw = readRaw(hash);
      if (raw === undefined) throw new Error(`no vector has the block ${toDisplay(hash)}`);
      return { hash, header: raw.slice(0, 80), transactions: (Block.fromBuffer(raw).transactions ?? []).map(toBitcoinTransaction) };
    },
    keep: refuse,
    keepAll: refuse,
  };
}

/** The chain of the vectors, indexed to its tip. */
async function openVectorChain(vectors: HvmVectors['syntheticSpendChain'], quirks: Quirks): Promise<{ spec: ChainSpec; view: BitcoinView }> {
  const spec = labSpec({ indexLag: 0, quirks });
  expectHex(spec.genesis.bitcoin.genesisHeader, vectors.genesisHeader);
  const store = await openMemoryStore();
  const raws = vectors.blocks.map(fromHex);
  const headers = await openHeaderChain(store, spec);
  const placed = await headers.add(raws.map((raw) => raw.slice(0, 80)));
  expectSame(
    placed.map(({ hash }) => toDisplay(hash)),
    vectors.blockHashes,
  );
  const blocks = createUncheckedBlocks(raws);
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  const tip = headers.best().hash;
  await index.moveTo(tip);
  return { spec, view: createBitcoinView({ store, spec, headers, blocks, index }, tip) };
}

/** What a precompile answers: hex, or `null` when the call fails and burns its gas. */
async function ask({ spec, view }: { spec: ChainSpec; view: BitcoinView }, address: number, input: Uint8Array): Promise<string | null> {
  const precompile = bindAll(view, spec).find((one) => Number(one.address.toString()) === address);
  if (precompile === undefined) throw new Error(`there is no precompile 0x${address.toString(16)}`);
  const { returnValue, exceptionError, executionGasUsed } = await precompile.function({ data: input, gasLimit: PLENTY } as never);
  if (exceptionError === undefined) return toDigits(returnValue);
  expectSame(executionGasUsed, PLENTY);
  return null;
}

/** What the case says, under these quirks: the notes of two cases name the defects of the public network's library. */
function expectedOf({ precompile, output, note }: PrecompileCase, quirks: Quirks): string | null {
  if (precompile === '0x45' && quirks.emptyHeaderAtHeight) return '';
  if (precompile === '0x48' && note.startsWith(SPENT_NOTE) && !quirks.emptySpentOutput) {
    // 50 coins, made by the first block's coinbase and spent by T.
    return '000000012a05f200001976a914424242424242424242424242424242424242424288ac00';
  }
  return output;
}

async function spendChain(vectors: HvmVectors['syntheticSpendChain'], report: Report): Promise<void> {
  for (const quirks of [
    { emptyHeaderAtHeight: false, emptySpentOutput: true },
    { emptyHeaderAtHeight: false, emptySpentOutput: false },
    { emptyHeaderAtHeight: true, emptySpentOutput: true },
  ]) {
    const chain = await openVectorChain(vectors, quirks);
    const name = JSON.stringify(quirks);
    await report.check(`every spend chain case is there, ${name}`, () => expectSame(vectors.cases.length, 30));
    for (const [i, one] of vectors.cases.entries()) {
      await report.check(`spend chain ${i} ${one.precompile} ${one.note} ${name}`, async () => {
        expectSame(await ask(chain, Number(one.precompile), fromHex(one.input)), expectedOf(one, quirks));
      });
    }
  }
}

async function confirmations(vectors: HvmVectors, report: Report): Promise<void> {
  const { cb1, cb2, cb3 } = vectors.syntheticSpendChain.txids;
  const txids = [cb1, cb2, cb3].map((txid) => fromHex(txid ?? ''));
  const chain = await openVectorChain(vectors.syntheticSpendChain, { emptyHeaderAtHeight: false, emptySpentOutput: false });
  for (const one of vectors.confirmationsFrozenEdge.cases) {
    const heights = 'txHeights' in one ? one.txHeights : [one.txHeight];
    const outs = 'txHeights' in one ? one.out.map((out) => out.toString(16).padStart(8, '0')) : [one.out.slice(0, 8)];
    await report.check(`confirmations of heights ${heights} at light tip ${one.upstreamHeight}`, async () => {
      // A light tip below what is indexed is no state of a node: only the tip is put there.
      const view = { ...chain.view, lightTip: { ...chain.view.lightTip, height: one.upstreamHeight } };
      const answers: (string | null)[] = [];
      for (const height of heights) answers.push(await ask({ ...chain, view }, 0x43, txids[height - 1] as Uint8Array));
      expectSame(answers, outs);
    });
  }
}

/** A header chain of which only heights matter: the ancestor of a tip is asked for once, by height. */
function chainOfHeights(genesisHeight: number): HeaderChain {
  const at = (height: number): ChainHeader => ({ hash: new Uint8Array(32), header: new Uint8Array(80), height, work: 0n });
  return { genesis: at(genesisHeight), ancestor: (_hash: Uint8Array, height: number) => at(height) } as unknown as HeaderChain;
}

async function indexTips(vectors: HvmVectors['walkBackTipLag'], report: Report): Promise<void> {
  for (const [tipHeight, genesisHeight, lag, walks] of vectors.cases) {
    await report.check(`index tip of ${tipHeight}, hVM genesis ${genesisHeight}, lag ${lag}`, () => {
      const spec = labSpec({ indexLag: lag });
      const moved = { ...spec, genesis: { ...spec.genesis, bitcoin: { ...spec.genesis.bitcoin, genesisHeight } } };
      const headers = chainOfHeights(genesisHeight);
      const light = headers.ancestor(new Uint8Array(32), tipHeight) as ChainHeader;
      expectSame(indexTipOf(moved, headers, light).height, walks ? tipHeight - lag : tipHeight);
    });
  }
}

async function simpleChain({ genesis, headers, hashesInternal }: HvmVectors['regtestSimpleChain'], report: Report): Promise<void> {
  const spec = labSpec();
  const chain = await openHeaderChain(await openMemoryStore(), spec);
  await report.check('the simple chain begins at the regtest genesis', () => {
    expectHex(spec.genesis.bitcoin.genesisHeader, genesis.header);
    expectHex(chain.best().hash, genesis.hashInternal);
  });
  for (const [i, header] of headers.entries()) {
    await report.check(`simple chain header ${i + 1} moves the best tip`, async () => {
      const [placed] = await chain.add([fromHex(header)]);
      expectSame(placed?.height, i + 1);
      expectHex(chain.best().hash, hashesInternal[i] ?? '');
      expectHex(chain.ancestor(chain.best().hash, i)?.hash, hashesInternal[i - 1] ?? genesis.hashInternal);
    });
  }
  await report.check('the simple chain in chunks of three ends on the same tip', async () => {
    const other = await openHeaderChain(await openMemoryStore(), spec);
    for (let i = 0; i < headers.length; i += 3) await other.add(headers.slice(i, i + 3).map(fromHex));
    expectHex(other.best().hash, hashesInternal.at(-1) ?? '');
  });
}

/** The part of suite `hemi` about Bitcoin inside the EVM: precompiles, the two tips, a header chain. */
export async function hemiHvm(data: SharedData, report: Report): Promise<void> {
  const vectors = data.json<HvmVectors>('vectors/hvm.json');
  await spendChain(vectors.syntheticSpendChain, report);
  await confirmations(vectors, report);
  await indexTips(vectors.walkBackTipLag, report);
  await simpleChain(vectors.regtestSimpleChain, report);
}
