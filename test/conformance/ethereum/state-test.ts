import { createBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { RLP } from '@ethereumjs/rlp';
import type { TypedTransaction } from '@ethereumjs/tx';
import { createVM, runTx } from '@ethereumjs/vm';
import { creationOpcodes } from '@hemid/hvm';
import { fromHex, toHex } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { SharedData } from '../data.ts';
import type { Report } from '../report.ts';
import { runAsInline } from './inline.ts';
import { FORKS, rulesOf } from './rules.ts';
import { decodeTransaction } from './transaction.ts';
import { type Allocation, createWorld, type World } from './world.ts';

interface Post {
  hash: string;
  logs: string;
  txbytes: string;
  expectException?: string;
}

interface StateTest {
  env: Record<string, string>;
  pre: Allocation;
  post: Record<string, Post[]>;
  config: { chainid: string };
}

function blockOf(env: Record<string, string>, common: Common) {
  const optional = (name: string, value: string | undefined): object => (value === undefined ? {} : { [name]: value });
  return createBlock(
    {
      header: {
        coinbase: env['currentCoinbase'],
        gasLimit: env['currentGasLimit'],
        number: env['currentNumber'],
        timestamp: env['currentTimestamp'],
        ...(common.consensusType() === 'pos' ? optional('mixHash', env['currentRandom']) : optional('difficulty', env['currentDifficulty'])),
        ...(common.isActivatedEIP(1559) ? optional('baseFeePerGas', env['currentBaseFee']) : {}),
        ...(common.isActivatedEIP(4844) ? { ...optional('excessBlobGas', env['currentExcessBlobGas']), blobGasUsed: 0n } : {}),
      } as never,
    },
    { common, skipConsensusFormatValidation: true },
  );
}

/** The transaction, or `undefined` when its bytes alone are refused. */
function decode(post: Post, common: Common): TypedTransaction | undefined {
  try {
    return decodeTransaction(fromHex(post.txbytes), common);
  } catch {
    return undefined;
  }
}

async function execute(world: World, tx: TypedTransaction, test: StateTest, common: Common): Promise<{ logs: unknown[] } | undefined> {
  const state = world.open(common);
  const vm = await createVM({ common, stateManager: state, evmOpts: { customOpcodes: creationOpcodes(common) } });
  try {
    const block = blockOf(test.env, common);
    const inline = await runAsInline(vm, { tx, state, header: block.header });
    const logs = inline?.logs.map(({ address, topics, data }) => [address, topics, data]);
    const result = inline ?? (await runTx(vm, { tx, block, blockGasUsed: 0n, skipHardForkValidation: true }));
    await world.commit(state);
    return { logs: logs ?? ('execResult' in result ? (result.execResult.logs ?? []) : []) };
  } catch {
    return undefined;
  }
}

async function runPost(test: StateTest, fork: string, post: Post): Promise<void> {
  const common = await rulesOf(fork, BigInt(test.config.chainid));
  const world = await createWorld(common, test.pre);
  const tx = decode(post, common);
  const done = tx === undefined ? undefined : await execute(world, tx, test, common);
  if (post.expectException !== undefined && done !== undefined) throw new Error(`it was accepted, but must be refused (${post.expectException})`);
  if (post.expectException === undefined && done === undefined) throw new Error('it was refused');
  if (toHex(world.root()) !== post.hash) throw new Error(`root ${toHex(world.root())}, expected ${post.hash}`);
  const logs = toHex(keccak_256(RLP.encode((done?.logs ?? []) as never)));
  if (logs !== post.logs) throw new Error(`logs ${logs}, expected ${post.logs}`);
}

/** Suite `state-tests`: the Ethereum state tests from Berlin to Osaka, through the node's own state, trie and interpreter. */
export async function stateTestSuite(data: SharedData, report: Report): Promise<void> {
  for (const file of data.list('conformance/state-tests')) {
    const tests = data.gzippedJson<Record<string, StateTest>>(`conformance/state-tests/${file}`);
    for (const [name, test] of Object.entries(tests)) {
      for (const [fork, posts] of Object.entries(test.post)) {
        // Forks before Berlin are not run at all: this chain begins at Osaka.
        if (FORKS[fork] === undefined) continue;
        for (const [i, post] of posts.entries()) await report.check(`${name} ${fork} ${i}`, () => runPost(test, fork, post));
      }
    }
  }
}
