import type { ChainView, PlacedL2Header } from '@hemid/chain';
import { showBlock } from './block-shape.ts';
import { type BlockWithReceipts, logsOfBlock } from './log-shape.ts';
import { type LogText, toLogText } from './log-text.ts';
import type { RuleReader } from './ports.ts';
import { showReceipt } from './receipt-shape.ts';
import { createSizedCache } from './sized-cache.ts';
import type { TransactionDecoder } from './transaction-decoder.ts';
import { showTransaction } from './transaction-shape.ts';
import { type JsonText, jsonText, toText } from './wire.ts';
import { keepText, sizeOfText, type WireText } from './wire-text.ts';

/** Blocks and what is in them as JSON, made once: the same block never reads otherwise. `undefined`: it is not here. */
export interface BlockTexts {
  block(placed: PlacedL2Header, transactions: 'hashes' | 'objects'): JsonText | undefined;
  transaction(placed: PlacedL2Header, index: number): JsonText | undefined;
  receipts(placed: PlacedL2Header): JsonText | undefined;
  receipt(placed: PlacedL2Header, index: number): JsonText | undefined;
  /** Every log of a block, in order. */
  logs(placed: PlacedL2Header): readonly LogText[];
}

export interface BlockTextDeps {
  chain: ChainView;
  decode: TransactionDecoder;
  rules: RuleReader;
}

/** Memory for texts. */
const CACHE_BYTES = 32 << 20;
/** Blocks that are kept as they are read, for those who ask for one transaction or receipt after the other. */
const CACHED_SOURCES = 4;
/** What an entry takes beside its characters. */
const ENTRY_BYTES = 200;

const latin = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const sizeOfLogs = (logs: readonly LogText[]): number =>
  logs.reduce((sum, { json, names }) => sum + json.length + names.length + ENTRY_BYTES, ENTRY_BYTES);

/** Texts that were made, by the hash of their block. */
export type TextCaches = ReturnType<typeof createTextCaches>;

/** Creates empty {@link TextCaches}. */
export const createTextCaches = () => ({
  texts: createSizedCache<WireText>(CACHE_BYTES, (text) => sizeOfText(text) + ENTRY_BYTES),
  logs: createSizedCache<readonly LogText[]>(CACHE_BYTES, sizeOfLogs),
  sources: createSizedCache<BlockWithReceipts>(CACHED_SOURCES, () => 1),
});

/** Creates the {@link BlockTexts} of a chain. */
export function createBlockTexts(deps: BlockTextDeps, { texts, logs, sources }: TextCaches = createTextCaches()): BlockTexts {
  const { chain, decode } = deps;

  /** A text under a name of the block's own. */
  function text({ hash }: PlacedL2Header, name: string, make: () => unknown): JsonText | undefined {
    const found = texts.get(latin(hash) + name, () => {
      const value = make();
      return value === undefined ? undefined : keepText(toText(value));
    });
    return found === undefined ? undefined : jsonText(found);
  }

  function readSource(block: PlacedL2Header): BlockWithReceipts | undefined {
    return sources.get(latin(block.hash), () => {
      const transactions = chain.block(block.hash)?.block.transactions;
      const receipts = chain.receipts(block.hash);
      return transactions === undefined || receipts === undefined ? undefined : { block, transactions, receipts };
    });
  }

  return {
    block: (placed, transactions) =>
      text(placed, transactions, () => {
        const sealed = chain.block(placed.hash);
        if (sealed === undefined) return undefined;
        const receipts = transactions === 'objects' ? (chain.receipts(placed.hash) ?? []) : [];
        return showBlock(placed, sealed.block, transactions === 'objects' ? { as: 'objects', receipts, decode } : { as: 'hashes' });
      }),
    transaction: (placed, index) =>
      text(placed, `transaction ${index}`, () => {
        const source = readSource(placed);
        const raw = source?.transactions[index];
        if (source === undefined || raw === undefined) return undefined;
        return showTransaction(raw, { block: placed, index, nonce: source.receipts[index]?.nonce ?? 0n }, decode);
      }),
    receipts: (placed) =>
      text(placed, 'receipts', () => {
        const source = readSource(placed);
        return source?.transactions.map((_, index) => showReceipt(source, index, deps));
      }),
    receipt: (placed, index) =>
      text(placed, `receipt ${index}`, () => {
        const source = readSource(placed);
        return source && showReceipt(source, index, deps);
      }),
    logs: (placed) => logs.get(latin(placed.hash), () => logsOfBlock(chain, placed).map(toLogText)) ?? [],
  };
}
