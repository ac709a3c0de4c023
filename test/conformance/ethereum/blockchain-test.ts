import { fromHex, toHex } from '@hemid/protocol';
import type { SharedData } from '../data.ts';
import type { Report } from '../report.ts';
import { decodeBlock } from './block.ts';
import { type Chain, openChain } from './chain.ts';
import { isBeforeBerlin, type Network, networkOf } from './network.ts';
import { isRefusal } from './refusal.ts';
import { type Allocation, createWorld } from './world.ts';

interface BlockchainTest {
  network: string;
  genesisRLP: string;
  genesisBlockHeader: { hash: string; stateRoot: string };
  pre: Allocation;
  blocks: { rlp: string; expectException?: string; blockHeader?: { hash: string } }[];
  lastblockhash: string;
  postState?: Allocation;
  postStateHash?: string;
  config?: { chainid?: string };
}

const FOLDER = 'conformance/blockchain-tests';

function same(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${what} is ${actual}, expected ${expected}`);
}

async function openGenesis(test: BlockchainTest, network: Network): Promise<Chain> {
  const genesis = decodeBlock(fromHex(test.genesisRLP));
  const world = await createWorld(await network(genesis.header), test.pre);
  same('the genesis', toHex(genesis.hash), test.genesisBlockHeader.hash);
  same('the root of the genesis', toHex(world.root()), toHex(genesis.header.stateRoot));
  return openChain(network, genesis, world);
}

/** @returns why the block is refused, `undefined` if it is not. */
async function offer(chain: Chain, rlp: string): Promise<string | undefined> {
  try {
    await chain.add(decodeBlock(fromHex(rlp)));
    return undefined;
  } catch (error) {
    if (isRefusal(error)) return (error as Error).message;
    throw error;
  }
}

async function runBlocks(test: BlockchainTest, chain: Chain): Promise<void> {
  for (const [i, { rlp, expectException, blockHeader }] of test.blocks.entries()) {
    const before = chain.head();
    const refusal = await offer(chain, rlp);
    if (expectException === undefined) {
      if (refusal !== undefined) throw new Error(`block ${i} was refused: ${refusal}`);
      if (blockHeader !== undefined) same(`the hash of block ${i}`, toHex(decodeBlock(fromHex(rlp)).hash), blockHeader.hash);
    } else {
      if (refusal === undefined) throw new Error(`block ${i} was accepted, but must be refused (${expectException})`);
      if (chain.head() !== before) throw new Error(`block ${i} was refused, but moved the head`);
    }
  }
}

/** Not the root alone: every row of the flat state and every node of the tries must be what a fresh state would hold. */
async function expectPost(test: BlockchainTest, chain: Chain, network: Network): Promise<void> {
  const { header, hash, world } = chain.head();
  same('the last block', toHex(hash), test.lastblockhash);
  if (test.postStateHash !== undefined) same('the root at the end', toHex(header.stateRoot), test.postStateHash);
  if (test.postState === undefined) return;
  const fresh = await createWorld(await network(header), test.postState);
  same('the root at the end', toHex(world.root()), toHex(fresh.root()));
  const [rows, expected] = [world.rows(), fresh.rows()];
  for (const key of new Set([...rows.keys(), ...expected.keys()])) {
    const show = (value: Uint8Array | undefined): string => (value === undefined ? 'not there' : toHex(value));
    same(`row ${Buffer.from(key, 'latin1').toString('hex')}`, show(rows.get(key)), show(expected.get(key)));
  }
}

async function runTest(test: BlockchainTest, network: Network): Promise<void> {
  const chain = await openGenesis(test, network);
  await runBlocks(test, chain);
  await expectPost(test, chain, network);
}

/** Suite `blockchain-tests`: whole chains from Berlin to Osaka, through the node's own state, tries and interpreter. */
export async function blockchainTestSuite(data: SharedData, report: Report): Promise<void> {
  for (const file of data.list(FOLDER)) {
    const tests = data.gzippedJson<Record<string, BlockchainTest>>(`${FOLDER}/${file}`);
    for (const [name, test] of Object.entries(tests)) {
      // Forks before Berlin are not run at all: this chain begins at Osaka.
      if (isBeforeBerlin(test.network)) continue;
      const network = networkOf(test.network, BigInt(test.config?.chainid ?? 1));
      if (network === undefined) report.skip(name, `network ${test.network} is none from Berlin to Osaka`);
      else await report.check(name, () => runTest(test, network));
    }
  }
}
