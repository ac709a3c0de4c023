import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { createStateReader, type Sandbox, type UserTransaction } from '@hemid/hvm';
import { type ChainSpec, encodeHeader, equal, hashTransaction, type L2Header, toDigits } from '@hemid/protocol';
import { openEthereumVm, runBlock } from '../ethereum/block-loop.ts';
import type { Header } from '../ethereum/header.ts';
import { requestsHashOf } from '../ethereum/requests.ts';
import { openWithSystemCalls } from '../ethereum/system-call.ts';
import { decodeTransaction } from '../ethereum/transaction.ts';
import type { PlainBlock, PlainChain } from './plain-chain.ts';

const notHere = (): never => {
  throw new Error('this chain knows nothing of Bitcoin');
};

/** What RPC reads of a chain spec. */
function specOf({ genesis }: PlainChain): ChainSpec {
  const { chainId } = genesis.config;
  return { genesis: { name: 'rpc-compat', chainId, elasticity: 2n, baseFeeDenominator: 8n, baseFee: 1_000_000_000n }, upgrades: [] } as never;
}

const placedOf = ({ block }: PlainBlock): PlacedL2Header => ({ header: block.header as L2Header, hash: block.hash });

/** The suite's chain as the product's RPC wants to see a chain. */
export function createPlainReader(chain: PlainChain): ChainReader {
  const { blocks } = chain;
  const spec = specOf(chain);
  const byHash = new Map(blocks.map((known) => [toDigits(known.block.hash), known]));
  const head = blocks.at(-1) as PlainBlock;
  const places = new Map(
    blocks.flatMap(({ block }) =>
      block.transactions.map((raw, index) => [toDigits(hashTransaction(raw)), { blockHash: block.hash, index }] as const),
    ),
  );

  const find = (hash: Uint8Array): PlainBlock | undefined => byHash.get(toDigits(hash));
  const get = ({ hash }: PlacedL2Header): PlainBlock => find(hash) ?? notHere();
  const hashAt = (number: bigint): Uint8Array | undefined => blocks[Number(number)]?.block.hash;

  /** Blobs are in blocks here, which the product's own decoder refuses. */
  function decode(raw: Uint8Array): UserTransaction {
    const tx = decodeTransaction(raw, head.rules);
    return { raw, hash: hashTransaction(raw), sender: tx.getSenderAddress().bytes, tx };
  }

  function sandboxAt(placed: PlacedL2Header): Sandbox {
    const { rules, world } = get(placed);
    return {
      spec,
      common: rules,
      ...placed,
      ancestorHash: (number) => (number < placed.header.number ? hashAt(number) : undefined),
      source: () => world.base,
      base: () => world.base,
      openVm: (state, ancestorHash) => openEthereumVm(rules, state, ancestorHash),
      begin: (_, { vm, evmBlock, header }) => openWithSystemCalls(vm, evmBlock, header as Header),
      end: async (_, { vm, evmBlock }, { receipts }) => ({ requestsHash: await requestsHashOf(vm, evmBlock, receipts) }),
    };
  }

  return {
    spec,
    head: (tag) => placedOf(tag === 'earliest' ? (blocks[0] as PlainBlock) : head),
    headerAt: (number) => (blocks[Number(number)] === undefined ? undefined : placedOf(blocks[Number(number)] as PlainBlock)),
    header(hash) {
      const known = find(hash);
      return known && placedOf(known);
    },
    isCanonical: ({ hash, header }) => equal(hashAt(header.number) ?? new Uint8Array(), hash),
    ancestorOf: (_, number) => placedOf(blocks[Number(number)] as PlainBlock),
    block(hash) {
      const known = find(hash);
      if (known === undefined) return undefined;
      const { header, transactions, withdrawals } = known.block;
      const ommers = known.block.ommers.map((ommer) => encodeHeader(ommer as L2Header));
      const paid = withdrawals?.map(({ index, validator, address, gwei }) => ({ index, validatorIndex: validator, address, amount: gwei }));
      const block = { header: header as L2Header, transactions, ommers, ...(paid === undefined ? {} : { withdrawals: paid }) };
      return { block, hash, seal: new Uint8Array() };
    },
    receipts: (hash) => find(hash)?.receipts,
    transaction: (hash) => places.get(toDigits(hash)),
    tunnelTransaction: notHere,
    keystone: notHere,
    historyProof: () => undefined,
    keystoneBlock: notHere,
    // Without an index every block may have what is looked for.
    logBlocks: (_, { from, to }) => blocks.slice(Number(from), Number(to) + 1).map(placedOf),
    stateAt(placed) {
      const { world } = get(placed);
      return createStateReader(world.base, world.root());
    },
    viewAt: notHere,
    sandboxAt,
    simulate: notHere,
    async replay(placed, { watch, upTo = Number.POSITIVE_INFINITY }) {
      const { block, rules } = get(placed);
      const parent = find(block.header.parentHash) ?? notHere();
      const ancestorHash = (number: bigint): Uint8Array => hashAt(number) ?? new Uint8Array(32);
      await runBlock({ ...block, transactions: block.transactions.slice(0, upTo + 1) }, { rules, world: parent.world.fork(), ancestorHash, watch });
    },
    decode,
    conflict: () => undefined,
    checkpoint: undefined,
    evidence: async () => [],
    onHead: () => () => undefined,
  };
}
