import { nextBaseFee, type UserTransaction } from '@hemid/hvm';
import { EMPTY_OMMERS_HASH, EMPTY_REQUESTS_HASH, EMPTY_TRIE_ROOT, equal, fromHex, type L2Header, toHex } from '@hemid/protocol';
import { nextExcessBlobGas } from '../ethereum/blob-gas.ts';
import type { EthereumBlock } from '../ethereum/block.ts';
import { runBlock } from '../ethereum/block-loop.ts';
import { type Header, hashOf } from '../ethereum/header.ts';
import type { PlainBlock, PlainChain } from './plain-chain.ts';

interface Attributes {
  timestamp: string;
  prevRandao: string;
  suggestedFeeRecipient: string;
  parentBeaconBlockRoot: string;
}

const SPEC = { genesis: { elasticity: 2n, baseFeeDenominator: 8n, baseFee: 0n } };

function draftHeader(parent: PlainBlock, attributes: Attributes, extraData: string): Header {
  const before = parent.block.header;
  return {
    parentHash: parent.block.hash,
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: fromHex(attributes.suggestedFeeRecipient),
    stateRoot: before.stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number: before.number + 1n,
    gasLimit: before.gasLimit,
    gasUsed: 0n,
    timestamp: BigInt(attributes.timestamp),
    extraData: fromHex(extraData),
    mixHash: fromHex(attributes.prevRandao),
    nonce: new Uint8Array(8),
    baseFeePerGas: nextBaseFee(SPEC as never, before as L2Header),
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: nextExcessBlobGas(before, parent.rules),
    parentBeaconBlockRoot: fromHex(attributes.parentBeaconBlockRoot),
    requestsHash: EMPTY_REQUESTS_HASH,
  };
}

const quantity = (value: bigint): string => `0x${value.toString(16)}`;

function showPayload(header: Header, transactions: readonly Uint8Array[]): object {
  return {
    parentHash: toHex(header.parentHash),
    feeRecipient: toHex(header.beneficiary),
    stateRoot: toHex(header.stateRoot),
    receiptsRoot: toHex(header.receiptsRoot),
    logsBloom: toHex(header.logsBloom),
    prevRandao: toHex(header.mixHash),
    blockNumber: quantity(header.number),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: toHex(header.extraData),
    baseFeePerGas: quantity(header.baseFeePerGas ?? 0n),
    blockHash: toHex(hashOf(header)),
    transactions: transactions.map(toHex),
    withdrawals: [],
    blobGasUsed: quantity(header.blobGasUsed ?? 0n),
    excessBlobGas: quantity(header.excessBlobGas ?? 0n),
  };
}

/** `testing_buildBlockV1`, the suite's own tool: builds a block with the given transactions, or with those of the pool. */
export function createBuilder(chain: PlainChain, pool: { waiting(): UserTransaction[] }) {
  async function tryBlock(parent: PlainBlock, header: Header, transactions: Uint8Array[]) {
    const block: EthereumBlock = { header, hash: hashOf(header), transactions, ommers: [], ommersHash: EMPTY_OMMERS_HASH, withdrawals: [], size: 0 };
    const ancestorHash = (number: bigint): Uint8Array => chain.blocks[Number(number)]?.block.hash ?? new Uint8Array(32);
    const { receipts, made } = await runBlock(block, { rules: parent.rules, world: parent.world.fork(), ancestorHash });
    const tips = receipts.reduce((sum, receipt) => sum + receipt.gasUsed * (receipt.effectiveGasPrice - (header.baseFeePerGas ?? 0n)), 0n);
    return { header: { ...header, ...made }, tips };
  }

  /** The transactions of the pool that a block can hold, one after the other. */
  async function choose(parent: PlainBlock, header: Header): Promise<Uint8Array[]> {
    const chosen: Uint8Array[] = [];
    for (const { raw } of pool.waiting()) {
      try {
        await tryBlock(parent, header, [...chosen, raw]);
        chosen.push(raw);
      } catch {
        // Not executable now: it waits.
      }
    }
    return chosen;
  }

  return async (params: unknown[]): Promise<{ result: object } | { error: object }> => {
    const [parentHash, attributes, given, extraData] = params as [string, Attributes, string[] | null, string];
    const parent = chain.blocks.find(({ block }) => equal(block.hash, fromHex(parentHash)));
    if (parent === undefined) return { error: { code: -32000, message: 'unknown parent' } };
    const draft = draftHeader(parent, attributes, extraData);
    try {
      const transactions = given === null ? await choose(parent, draft) : given.map((raw) => fromHex(raw));
      const { header, tips } = await tryBlock(parent, draft, transactions);
      const result = {
        executionPayload: showPayload(header, transactions),
        blockValue: quantity(tips),
        executionRequests: [],
        shouldOverrideBuilder: false,
      };
      return { result };
    } catch (error) {
      return { error: { code: -32000, message: (error as Error).message } };
    }
  };
}
