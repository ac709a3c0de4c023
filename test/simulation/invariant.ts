import { parseBlock, publicationsIn } from '@hemid/bitcoin';
import { bitcoinReference, isKeystone, type PlacedL2Header } from '@hemid/chain';
import { devVaultScript } from '@hemid/node';
import {
  type BitcoinTip,
  decodePayout,
  decodeSystemTransaction,
  equal,
  hashKeystone,
  PAYOUT_TYPE,
  TUNNEL_TYPE,
  toDisplay,
  toHex,
} from '@hemid/protocol';
import { expect } from 'vitest';
import type { Machine, World } from './world.ts';

/** Blocks of a keystone's window behind the first. */
const WINDOW = 8;
const COUNTING_DEPTH = 144;

const remembered = new WeakMap<Machine, { finalized: PlacedL2Header; tip: BitcoinTip }>();

/** `finalized` goes forward on its branch; only a reorg of Bitcoin, as deep as what is final, takes it elsewhere: one that this machine has seen. */
export function checkFinalized({ spec }: World, machine: Machine): void {
  const { chain, headers, anchors } = machine.node;
  const finalized = chain.head('finalized');
  const tip = anchors.tip();
  const last = remembered.get(machine);
  const depth = last === undefined ? 0 : last.tip.height - headers.commonAncestor(last.tip.hash, tip.hash).height;
  if (last !== undefined && depth < spec.genesis.finality.super) {
    const { number } = last.finalized.header;
    const isForward = finalized.header.number >= number && equal(chain.ancestorOf(finalized, number).hash, last.finalized.hash);
    expect(isForward, `${machine.name}: finalized went from block ${number} to ${finalized.header.number} aside or back`).toBe(true);
  }
  remembered.set(machine, { finalized, tip });
}

const headName = ({ node }: Machine): string => {
  const { header, hash } = node.chain.head('latest');
  return `${header.number} ${toHex(hash)}`;
};

const honest = ({ machines }: World): Machine[] => machines.filter(({ isHonest }) => isHonest);

/** All honest nodes are on one head, and none of them reports anything. */
export function checkAgreement(world: World): void {
  const heads = honest(world).map((machine) => `${headName(machine)} ${machine.node.chain.conflict()?.kind ?? 'no conflict'}`);
  expect(new Set(heads).size, heads.join('\n')).toBe(1);
  expect(heads[0]).toMatch(/no conflict$/);
}

/** Every honest node reports a conflict. */
export function checkReports(world: World): void {
  const reports = honest(world).map(({ name, node }) => `${name}: ${node.chain.conflict()?.kind ?? 'nothing'}`);
  expect(reports.filter((report) => report.endsWith('nothing'))).toEqual([]);
}

/** What Bitcoin holds for the chain: payable publications by keystone, and payments to the vault. */
async function readBitcoin({ bitcoin, spec }: World) {
  const publications: { id: string; height: number }[] = [];
  const deposits = new Map<string, number>();
  const hashes = new Map<string, number>();
  for (let height = spec.genesis.bitcoin.genesisHeight; height <= (await bitcoin.height()); height += 1) {
    const hash = (await bitcoin.rpc('getblockhash', [height])) as string;
    hashes.set(hash, height);
    const block = parseBlock(Uint8Array.from(Buffer.from((await bitcoin.rpc('getblock', [hash, 0])) as string, 'hex')));
    if (height === spec.genesis.bitcoin.genesisHeight) continue;
    for (const { key, row } of publicationsIn(block, height)) if (row.miner.length > 0) publications.push({ id: toHex(key.abbreviatedHash), height });
    for (const { txid, outputs } of block.transactions)
      if (outputs.some(({ script }) => equal(script, devVaultScript()))) deposits.set(toDisplay(txid), height);
  }
  return { publications, deposits, hashes };
}

/** No keystone is paid twice and every payable one is paid; nothing is credited twice and everything due is credited. */
export async function checkPayments(world: World): Promise<void> {
  const { chain } = (honest(world)[0] as Machine).node;
  const { publications, deposits, hashes } = await readBitcoin(world);
  const head = chain.head('latest').header.number;
  const paid = new Map<bigint, number>();
  const credited = new Map<string, number>();
  let lastKeystone: PlacedL2Header | undefined;
  for (let number = 1n; number <= head; number += 1n) {
    const placed = chain.headerAt(number) as PlacedL2Header;
    if (isKeystone(world.spec, number)) lastKeystone = placed;
    for (const raw of chain.block(placed.hash)?.block.transactions ?? []) {
      if (raw[0] === PAYOUT_TYPE) {
        const { blockRewarded } = decodePayout(decodeSystemTransaction(raw).data);
        paid.set(blockRewarded, (paid.get(blockRewarded) ?? 0) + 1);
      }
      if (raw[0] === TUNNEL_TYPE) {
        // The txid is the first argument, in display order.
        const txid = toHex(decodeSystemTransaction(raw).data.subarray(4, 36)).slice(2);
        credited.set(txid, (credited.get(txid) ?? 0) + 1);
      }
    }
  }
  expect([...paid.values(), ...credited.values()].filter((times) => times !== 1)).toEqual([]);
  if (lastKeystone === undefined) return;
  const view = chain.viewAt(lastKeystone);
  const payable: bigint[] = [];
  for (let number = 1n; number < lastKeystone.header.number; number += 1n) {
    const placed = chain.headerAt(number) as PlacedL2Header;
    if (!isKeystone(world.spec, number)) continue;
    const named = hashes.get(toDisplay(bitcoinReference(placed.header)));
    const id = toHex(hashKeystone(chain.keystone(placed)));
    const counting = publications.filter((one) => one.id === id && named !== undefined && one.height > named && one.height - named <= COUNTING_DEPTH);
    const opened = counting[0]?.height;
    if (opened !== undefined && view.indexTip.height >= opened + WINDOW) payable.push(number);
  }
  expect(payable.filter((number) => !paid.has(number))).toEqual([]);
  const horizon = view.lightTip.height - world.spec.genesis.tunnel.confirmations + 1;
  expect([...deposits].filter(([txid, height]) => height <= horizon && !credited.has(txid))).toEqual([]);
}
