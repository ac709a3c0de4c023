import { concat, fromDisplay } from '@hemid/protocol';
import { Block, Transaction } from 'bitcoinjs-lib';

export interface BlockRequest {
  /** Display order. */
  parent: string;
  height: number;
  time: number;
  script: Uint8Array;
  payments?: Transaction[];
  version?: number;
  bits?: number;
  valueSats?: bigint;
  merkleRoot?: Uint8Array;
  commitment?: Uint8Array | 'none';
  coinbaseWitness?: 'none';
  transactions?: 'none';
  work?: 'missing';
}

/** Mines a block by hand. */
export function makeBlock(request: BlockRequest): Block {
  const { parent, height, time, script, payments = [], bits = 0x207fffff } = request;
  const coinbase = new Transaction();
  coinbase.version = 2;
  const heightScript =
    height <= 16
      ? Uint8Array.of(height === 0 ? 0 : 0x50 + height)
      : height < 128
        ? Uint8Array.of(1, height)
        : Uint8Array.of(2, height & 0xff, height >> 8);
  coinbase.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, concat(heightScript, Uint8Array.of(0x51)));
  coinbase.addOutput(script, request.valueSats ?? 2_500_000_000n);
  coinbase.setWitness(0, [new Uint8Array(32)]);
  const magic = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);
  if (request.commitment !== 'none') coinbase.addOutput(concat(magic, new Uint8Array(32)), 0n);
  const block = new Block();
  block.transactions = [coinbase, ...payments];
  if (request.commitment === undefined) {
    // bitcoinjs counts the coinbase's wtxid as zero here.
    const commitment = Block.calculateMerkleRoot(block.transactions, true);
    (coinbase.outs[1] as { script: Uint8Array }).script = concat(magic, commitment);
  } else if (request.commitment === 'none') {
    coinbase.setWitness(0, []);
  }
  block.version = request.version ?? 0x20000000;
  block.prevHash = fromDisplay(parent);
  block.merkleRoot = request.merkleRoot ?? Block.calculateMerkleRoot(block.transactions);
  if (request.coinbaseWitness === 'none') coinbase.setWitness(0, []);
  if (request.transactions === 'none') block.transactions = [];
  block.timestamp = time;
  block.bits = bits;
  const wantsWork = request.work === undefined;
  while ((block.getHash()[31] ?? 0) < 0x7f !== wantsWork) block.nonce += 1;
  return block;
}
