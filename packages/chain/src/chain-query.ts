import { createBitcoinView, type ViewDeps } from '@hemid/bitcoin';
import { createSandbox, createStateReader, decodeUserTransaction, type ExecutionDeps, replayBlock, type SandboxContext, simulate } from '@hemid/hvm';
import { decodeRlp, equal, toHex } from '@hemid/protocol';
import { layout } from '@hemid/store';
import type { BlockArchive } from './block-archive.ts';
import { bitcoinReference } from './block-rule.ts';
import type { ChainReader } from './chain-reader.ts';
import { fail } from './errors.ts';
import { findLogBlocks } from './log-index.ts';
import type { PlacedL2Header } from './ports.ts';
import { readSlotEvidence } from './slot-evidence.ts';

/** What is asked of blocks that are here: rows, states, views, and what a message or the block itself would do again. */
export type ChainQueries = Pick<
  ChainReader,
  | 'header'
  | 'block'
  | 'receipts'
  | 'transaction'
  | 'tunnelTransaction'
  | 'keystoneBlock'
  | 'historyProof'
  | 'logBlocks'
  | 'stateAt'
  | 'viewAt'
  | 'decode'
  | 'sandboxAt'
  | 'simulate'
  | 'replay'
  | 'evidence'
>;

export interface ChainQueryDeps extends ViewDeps {
  archive: BlockArchive;
  execution: ExecutionDeps;
  parentOf(block: PlacedL2Header): PlacedL2Header;
  ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header;
  headerAt(number: bigint): PlacedL2Header | undefined;
}

/** Creates the {@link ChainQueries} of a chain; nothing of it moves the chain. */
export function createChainQueries(deps: ChainQueryDeps): ChainQueries {
  const { store, archive, execution, parentOf, ancestorOf, headerAt } = deps;

  const cutContext = (block: PlacedL2Header): SandboxContext => ({
    header: block.header,
    hash: block.hash,
    view: createBitcoinView(deps, bitcoinReference(block.header)),
    ancestorHash: (number: bigint) => (number < 0n || number >= block.header.number ? undefined : ancestorOf(block, number).hash),
  });
  /** That of the block that was asked about last: mostly the head, time and again. */
  let latest: SandboxContext | undefined;

  function context(block: PlacedL2Header): SandboxContext {
    if (latest === undefined || !equal(latest.hash, block.hash)) latest = cutContext(block);
    return latest;
  }

  return {
    header: archive.readHeader,
    block: archive.readBlock,
    receipts: archive.readReceipts,
    transaction: (hash) => store.get(layout.transaction, hash),
    tunnelTransaction: (txid) => store.get(layout.tunnelTransaction, txid),
    keystoneBlock(abbreviatedHash) {
      const row = store.get(layout.keystone, abbreviatedHash);
      return row === undefined ? undefined : archive.readHeader(row.blockHash);
    },
    historyProof(number) {
      const row = store.get(layout.historyProof, number);
      if (row === undefined) return undefined;
      const [account = [], parent = [], previous] = decodeRlp(row, 'the history proof of a keystone block') as Uint8Array[][];
      return { account, parent, ...(previous && { previous }) };
    },
    logBlocks: (filter, range) => findLogBlocks(store, filter, range).flatMap((number) => headerAt(number) ?? []),
    stateAt: (block) => createStateReader(execution.states.source(block.hash), block.header.stateRoot),
    viewAt: (block) => context(block).view,
    decode: (raw) => decodeUserTransaction(raw, execution.common),
    sandboxAt: (block) => createSandbox(execution, context(block)),
    simulate: (block, message) => simulate(createSandbox(execution, context(block)), message),
    async replay(block, options) {
      const sealed = archive.readBlock(block.hash);
      if (sealed === undefined) throw fail('chain/not-found', `block ${toHex(block.hash)} is not here`);
      if (block.header.number === 0n) throw fail('chain/not-found', 'the genesis has no block before it');
      await replayBlock(execution, { ...context(block), parent: parentOf(block).header, block: sealed.block }, options);
    },
    evidence: (from, count) => readSlotEvidence(store, from, count),
  };
}
