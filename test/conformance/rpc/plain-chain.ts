import type { Common } from '@ethereumjs/common';
import { RLP } from '@ethereumjs/rlp';
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT, equal, fromHex, toHex } from '@hemid/protocol';
import type { SharedData } from '../data.ts';
import { decodeBlock, type EthereumBlock } from '../ethereum/block.ts';
import { type EthereumReceipt, executeBlock } from '../ethereum/block-loop.ts';
import { type Header, hashOf } from '../ethereum/header.ts';
import { createWorld, type World } from '../ethereum/world.ts';
import { type GethGenesis, gethNetwork } from './geth-network.ts';

/** A block of the suite's chain, executed. */
export interface PlainBlock {
  block: EthereumBlock;
  rules: Common;
  /** The state after it. */
  world: World;
  receipts: EthereumReceipt[];
}

/** The suite's chain by block number. */
export interface PlainChain {
  genesis: GethGenesis;
  blocks: PlainBlock[];
  rulesAt(place: { number: bigint; timestamp: bigint }): Promise<Common>;
}

const EMPTY_LIST_SIZE = 1;

function genesisHeader(genesis: GethGenesis, stateRoot: Uint8Array): Header {
  return {
    parentHash: new Uint8Array(32),
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: fromHex(genesis.coinbase),
    stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: BigInt(genesis.difficulty),
    number: 0n,
    gasLimit: BigInt(genesis.gasLimit),
    gasUsed: 0n,
    timestamp: BigInt(genesis.timestamp),
    extraData: fromHex(genesis.extraData),
    mixHash: fromHex(genesis.mixHash),
    nonce: new Uint8Array(8),
  };
}

async function openGenesis(genesis: GethGenesis, rules: Common): Promise<PlainBlock> {
  const allocation = Object.entries(genesis.alloc).map(([address, { balance = '0x0', nonce = '0x0', code = '0x', storage = {} }]) => [
    `0x${address}`,
    { balance, nonce, code, storage },
  ]);
  const world = await createWorld(rules, Object.fromEntries(allocation));
  const header = genesisHeader(genesis, world.root());
  const block = { header, hash: hashOf(header), transactions: [], ommers: [], ommersHash: EMPTY_OMMERS_HASH, size: EMPTY_LIST_SIZE };
  return { block, rules, world, receipts: [] };
}

/**
 * Executes the suite's chain. Its headers are not judged, for it was never mined: their seals are zero. That every
 * root, gas and bloom is what execution makes is judged.
 */
export async function importPlainChain(data: SharedData, folder: string): Promise<PlainChain> {
  const genesis = data.json<GethGenesis>(`${folder}/genesis.json`);
  const rulesAt = gethNetwork(genesis);
  const blocks = [await openGenesis(genesis, await rulesAt({ number: 0n, timestamp: 0n }))];
  for (let rest = data.bytes(`${folder}/chain.rlp`); rest.length > 0; ) {
    const { data: items, remainder } = RLP.decode(rest, true);
    const block = decodeBlock(RLP.encode(items));
    const parent = blocks.at(-1) as PlainBlock;
    if (!equal(block.header.parentHash, parent.block.hash))
      throw new Error(`block ${block.header.number} does not follow ${toHex(parent.block.hash)}`);
    const rules = await rulesAt(block.header);
    const world = parent.world.fork();
    const ancestorHash = (number: bigint): Uint8Array => blocks[Number(number)]?.block.hash ?? new Uint8Array(32);
    try {
      blocks.push({ block, rules, world, receipts: await executeBlock(block, { rules, world, ancestorHash }) });
    } catch (cause) {
      throw new Error(`block ${block.header.number} (${rules.hardfork()}): ${(cause as Error).message}`, { cause });
    }
    rest = remainder;
  }
  return { genesis, blocks, rulesAt };
}
