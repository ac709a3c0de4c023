import {
  type BlockStore,
  bitcoinIndex,
  createBitcoinView,
  createBlockStore,
  createWalker,
  type HeaderChain,
  indexTipOf,
  merkleRoot,
  openHeaderChain,
  type Walker,
} from '@hemid/bitcoin';
import {
  type BitcoinView,
  type ChainSpec,
  concat,
  decodeBitcoinHeader,
  encodeBitcoinHeader,
  fromHex,
  hashBitcoinHeader,
  hasProofOfWork,
  parseChainSpec,
  sha256d,
  toBigEndian,
} from '@hemid/protocol';
import { openMemoryStore, type Store } from '@hemid/store';
import { Transaction } from 'bitcoinjs-lib';

const REGTEST_GENESIS =
  '0x0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000';
const ADDRESS = `0x${'5e'.repeat(20)}`;

export interface BitcoinLabOptions {
  indexLag?: number;
  quirks?: Partial<ChainSpec['genesis']['quirks']>;
  /** Where the rows go; a store in memory otherwise. */
  store?: Store;
}

/** An output to make. */
export interface LabOutput {
  script: Uint8Array;
  valueSats: bigint;
}

/** An input to make; without scriptSig and witness, final, unless said otherwise. */
export interface LabInput {
  txid: Uint8Array;
  vout: number;
  scriptSig?: Uint8Array;
  sequence?: number;
  witness?: Uint8Array[];
}

/** A transaction as it goes into a block. */
export type LabTransaction = Transaction;

/** What a lab is asked to mine. */
export interface LabBlock {
  /** The block it stands on; the last mined one otherwise. */
  on?: Uint8Array;
  /** After the coinbase. */
  transactions?: readonly LabTransaction[];
  /** Of the coinbase; one of 50 coins to an empty script otherwise. */
  reward?: readonly LabOutput[];
}

/**
 * Bitcoin made by hand, without a Bitcoin node: blocks with exactly the transactions given, on any parent, with real
 * headers over a real header chain, block store and index. No script is run and no amount is checked.
 */
export interface BitcoinLab {
  spec: ChainSpec;
  store: Store;
  headers: HeaderChain;
  blocks: BlockStore;
  index: Walker;
  /** Mines a block and keeps it; @returns its hash. The index stays where it is. */
  mine(block?: LabBlock): Promise<Uint8Array>;
  /** Mines empty blocks; @returns the hash of the last. */
  mineMany(count: number, on?: Uint8Array): Promise<Uint8Array>;
  /** Takes a raw block of another lab. */
  take(raw: Uint8Array): Promise<Uint8Array>;
  /** Moves the index to where a light tip wants it; @returns that tip's view. */
  stand(tip: Uint8Array): Promise<BitcoinView>;
  /** The view of a light tip, wherever the index stands. */
  view(tip: Uint8Array): BitcoinView;
  /** The coinbase of a mined block. */
  coinbase(hash: Uint8Array): Uint8Array;
}

/** A chain spec whose hVM genesis is the regtest genesis block. */
export function labSpec({ indexLag = 2, quirks = {} }: BitcoinLabOptions = {}): ChainSpec {
  return parseChainSpec({
    genesis: {
      name: 'lab',
      chainId: 17_017,
      time: 1_700_000_000,
      blockTime: 1,
      gasLimit: 30_000_000,
      elasticity: 2,
      baseFeeDenominator: 8,
      baseFee: '10000000',
      hardfork: 'osaka',
      allocation: {},
      sequencers: [{ signer: ADDRESS, feeRecipient: ADDRESS }],
      keystonePeriod: 5,
      bitcoin: { network: 'regtest', genesisHeight: 0, genesisHeader: REGTEST_GENESIS, headersBefore: [], unspent: 'none', indexLag },
      finality: { super: 10, ultra: 20 },
      popPool: '100000000000000000000',
      tunnel: {
        vault: 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202',
        confirmations: indexLag + 1,
        limits: { minimumDepositSats: 50_000, depositFeeSats: 2000, withdrawalFeeSats: 3000, minimumWithdrawalSats: 40_000 },
      },
      quirks: { emptyHeaderAtHeight: false, emptySpentOutput: false, ...quirks },
    },
    upgrades: [],
  });
}

/** A transaction of exactly these inputs and outputs; version 2 and locktime 0 unless said otherwise. */
export function labTransaction(
  inputs: readonly LabInput[],
  outputs: readonly LabOutput[],
  { version = 2, locktime = 0 }: { version?: number; locktime?: number } = {},
): LabTransaction {
  const transaction = new Transaction();
  transaction.version = version;
  transaction.locktime = locktime;
  for (const [i, { txid, vout, scriptSig = new Uint8Array(), sequence = 0xffffffff, witness = [] }] of inputs.entries()) {
    transaction.addInput(txid, vout, sequence, scriptSig);
    transaction.setWitness(i, witness);
  }
  for (const { script, valueSats } of outputs) transaction.addOutput(script, valueSats);
  return transaction;
}

/** A coinbase that no other block has: its height and a serial number; with a witness commitment if one is needed. */
function buildCoinbase(place: { height: number; serial: number }, reward: readonly LabOutput[], transactions: readonly Transaction[]): Transaction {
  const scriptSig = concat(toBigEndian(place.height, 4), toBigEndian(place.serial, 4));
  const coinbase = labTransaction([{ txid: new Uint8Array(32), vout: 0xffffffff, scriptSig }], reward);
  if (!transactions.some((transaction) => transaction.hasWitnesses())) return coinbase;
  const reserved = new Uint8Array(32);
  const leaves = [new Uint8Array(32), ...transactions.map((transaction) => transaction.getHash(true))];
  coinbase.addOutput(concat(fromHex('6a24aa21a9ed'), sha256d(concat(merkleRoot(leaves).root, reserved))), 0n);
  coinbase.setWitness(0, [reserved]);
  return coinbase;
}

function encodeCount(count: number): Uint8Array {
  if (count < 0xfd) return Uint8Array.of(count);
  return count <= 0xffff ? Uint8Array.of(0xfd, count & 0xff, count >> 8) : Uint8Array.of(0xfe, count & 0xff, (count >> 8) & 0xff, count >> 16, 0);
}

/** Opens a {@link BitcoinLab}. */
export async function createBitcoinLab(options: BitcoinLabOptions = {}): Promise<BitcoinLab> {
  const spec = labSpec(options);
  const store = options.store ?? (await openMemoryStore());
  const headers = await openHeaderChain(store, spec);
  const blocks = createBlockStore(store);
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  const deps = { store, spec, headers, blocks, index };
  let last = headers.genesis.hash;
  let serial = 0;

  async function take(raw: Uint8Array): Promise<Uint8Array> {
    const [header] = await headers.add([raw.slice(0, 80)]);
    const { hash } = await blocks.keep(raw);
    last = header?.hash ?? hash;
    return last;
  }

  async function mine({ on = last, transactions = [], reward = [{ script: new Uint8Array(), valueSats: 5_000_000_000n }] }: LabBlock = {}) {
    const parent = headers.read(on);
    if (parent === undefined) throw new Error('the block to stand on is not known');
    serial += 1;
    const all = [buildCoinbase({ height: parent.height + 1, serial }, reward, transactions), ...transactions];
    const { root } = merkleRoot(all.map((transaction) => transaction.getHash()));
    const { time, bits } = decodeBitcoinHeader(parent.header);
    const header = { version: 4, previous: parent.hash, merkleRoot: root, time: time + 600, bits, nonce: 0 };
    while (!hasProofOfWork('regtest', hashBitcoinHeader(encodeBitcoinHeader(header)), bits)) header.nonce += 1;
    return take(concat(encodeBitcoinHeader(header), encodeCount(all.length), ...all.map((transaction) => transaction.toBuffer())));
  }

  return {
    spec,
    store,
    headers,
    blocks,
    index,
    mine,
    take,
    async mineMany(count, on = last) {
      let tip = on;
      for (let i = 0; i < count; i += 1) tip = await mine({ on: tip });
      return tip;
    },
    async stand(tip) {
      const light = headers.read(tip);
      if (light === undefined) throw new Error('the tip is not known');
      await index.moveTo(indexTipOf(spec, headers, light).hash);
      return createBitcoinView(deps, tip);
    },
    view: (tip) => createBitcoinView(deps, tip),
    coinbase: (hash) => (blocks.get(hash).transactions[0] as { txid: Uint8Array }).txid,
  };
}
