import { publicationsIn, readTransactionAt, sliceTransactionAt } from '@hemid/bitcoin';
import { type AbbreviatedKeystone, abbreviate, equal, type Publication, readPopScript, toDigits, toDisplay, toKeystoneId } from '@hemid/protocol';
import { nextTurn } from '@hemid/runtime';
import { z } from 'zod';
import { errorObject } from '../error-object.ts';
import { fail } from '../errors.ts';
import type { Json } from '../wire.ts';
import { type CommandTable, command, type TbcDeps } from './command.ts';
import { hash, uint, uint32 } from './field.ts';

/** Keystones of one question; the public programs ask for 12 at most. */
const MAX_KEYSTONES = 1000;
/** Publications of one keystone that are looked at. */
const MAX_PUBLICATIONS = 1000;
const MAX_TX_DEPTH = 3;
const MAX_HEIGHT_DEPTH = 100;

/** As Go writes a struct without tags: field names as they are, fixed arrays of bytes as lists of numbers. */
function showAbbreviated(keystone: AbbreviatedKeystone) {
  return {
    Version: keystone.version,
    L1BlockNumber: keystone.l1BlockNumber,
    L2BlockNumber: keystone.l2BlockNumber,
    ParentEPHash: [...keystone.parentHash],
    PrevKeystoneEPHash: [...keystone.previousKeystoneHash],
    StateRoot: [...keystone.stateRoot],
    EPHash: [...keystone.blockHash],
  };
}

interface Published {
  publication: Publication;
  keystone: AbbreviatedKeystone;
}

function readRaw({ blockHash }: Publication, { bitcoin }: TbcDeps): Uint8Array {
  const raw = bitcoin.readRaw(blockHash);
  if (raw === undefined) throw fail('rpc/not-found', `the Bitcoin block ${toDisplay(blockHash)} is not here`);
  return raw;
}

/**
 * The first publication of a keystone. For one of this node's chain it is the first that counts (protocol section 8):
 * a finality daemon that asks here comes to the node's own answer. Of others nothing is known but that they are there.
 */
async function readFirst(id: Uint8Array, deps: TbcDeps): Promise<Published | undefined> {
  const { chain, publications } = deps;
  const block = chain.keystoneBlock(id);
  if (block !== undefined) {
    const publication = await publications.first(block);
    return publication && { publication, keystone: abbreviate(chain.keystone(block)) };
  }
  const [publication] = await publications.all(id, 1);
  if (publication === undefined) return undefined;
  const output = readTransactionAt(readRaw(publication, deps), publication.txIndex).outputs[publication.vout];
  const keystone = output && readPopScript(output.script);
  return keystone && { publication, keystone };
}

async function showBlock(id: Uint8Array, deps: TbcDeps): Promise<{ [field: string]: Json }> {
  const first = await readFirst(id, deps);
  if (first === undefined) {
    const error = errorObject(`keystone by abbreviated hash: not found: ${toKeystoneId(id)}`, { clock: deps.clock });
    return { l2_keystone_abrev: null, l2_keystone_block_hash: null, l2_keystone_block_height: 0, error };
  }
  const { blockHash, height } = first.publication;
  return { l2_keystone_abrev: showAbbreviated(first.keystone), l2_keystone_block_hash: toDisplay(blockHash), l2_keystone_block_height: height };
}

/** Keystones in the blocks of the best chain from `low` to `high` whose first publication that is. */
async function keystonesBetween({ low, high }: { low: number; high: number }, deps: TbcDeps): Promise<AbbreviatedKeystone[]> {
  const found: AbbreviatedKeystone[] = [];
  for (let height = low; height <= high; height += 1) {
    const placed = deps.best.headerAt(height);
    if (placed === undefined) continue;
    await nextTurn();
    const block = deps.bitcoin.get(placed.hash);
    for (const { key, row } of publicationsIn(block, height)) {
      const [first] = await deps.publications.all(key.abbreviatedHash, 1);
      const output = block.transactions[key.txIndex]?.outputs[key.vout];
      const keystone = output && readPopScript(output.script);
      if (keystone !== undefined && first?.vout === key.vout && equal(first.txid, row.txid)) found.push(keystone);
    }
  }
  return found;
}

/** Publications as the public node shows them, those of one block after the other. */
function showTransactions(publications: readonly Publication[], deps: TbcDeps): Json[] {
  let read: { hash: Uint8Array; raw: Uint8Array } | undefined;
  return publications.map((one) => {
    if (read === undefined || !equal(read.hash, one.blockHash)) read = { hash: one.blockHash, raw: readRaw(one, deps) };
    const raw = toDigits(sliceTransactionAt(read.raw, one.txIndex));
    return { block_hash: toDisplay(one.blockHash), tx_index: one.txIndex, block_height: one.height, raw_tx: raw };
  });
}

/** What miners and finality daemons ask. */
export const keystoneCommands: CommandTable = {
  'block-by-l2-abrev-hash': command({
    doc: 'The block of the first publication of each keystone, in the order asked, and the tip to count from.',
    payload: z.object({ l2_keystone_abrev_hashes: z.array(hash).min(1, 'no l2 hashes provided').max(MAX_KEYSTONES) }),
    async handle({ l2_keystone_abrev_hashes: ids }, deps) {
      // Before the answers: what a block that comes meanwhile publishes is above it, and counts as nothing yet.
      const tip = deps.best.tip();
      const blocks = [];
      for (const id of ids) blocks.push(await showBlock(id, deps));
      return { l2_keystone_blocks: blocks, btc_tip_block_hash: toDisplay(tip.hash), btc_tip_block_height: tip.height };
    },
  }),
  'l2-keystone-txs-by-abrev-hash': command({
    doc: 'Every publication of a keystone in the block of its first one and in those right above, at most 3 blocks.',
    payload: z.object({ l2_keystone_abrev_hash: hash, depth: uint }),
    async handle({ l2_keystone_abrev_hash: id, depth }, deps) {
      if (depth > MAX_TX_DEPTH) throw fail('rpc/limit', `invalid depth: ${depth} > ${MAX_TX_DEPTH}`);
      const first = await readFirst(id, deps);
      if (first === undefined) throw fail('rpc/not-found', `keystone by hash: not found: ${toKeystoneId(id)}`);
      const { height: from } = first.publication;
      const all = await deps.publications.all(id, MAX_PUBLICATIONS);
      return {
        keystone_txs: showTransactions(
          all.filter(({ height }) => height >= from && height < from + depth),
          deps,
        ),
      };
    },
  }),
  'keystones-by-height': command({
    doc: 'Keystones first published in the `depth` blocks above a height, or below it when `depth` is negative (at most 100).',
    payload: z.object({ height: uint32, depth: z.int() }),
    async handle({ height, depth }, deps) {
      if (depth === 0) throw fail('rpc/invalid-params', 'depth must not be 0');
      if (Math.abs(depth) > MAX_HEIGHT_DEPTH) throw fail('rpc/limit', `invalid depth: ${depth}, at most ${MAX_HEIGHT_DEPTH} blocks`);
      const tip = deps.best.tip();
      const [low, high] = depth > 0 ? [height + 1, height + depth] : [height + depth, height - 1];
      const keystones = await keystonesBetween({ low: Math.max(0, low), high: Math.min(high, tip.height) }, deps);
      return { l2_keystone_abrevs: keystones.map(showAbbreviated), btc_tip_height: tip.height };
    },
  }),
};
