import { type Codec, fixed, hash, only, record, rest, type Table, text, u32, u64 } from '@hemid/store';

/** An unspent output. */
export interface Coin {
  valueSats: bigint;
  /** Twice the height of its block, plus one if a coinbase made it. */
  origin: number;
  script: Uint8Array;
}

export interface CoinKey {
  txid: Uint8Array;
  vout: number;
}

/** A block of the tree. `sequence` is the order in which full blocks arrived; `state` is a {@link BlockState}. */
export interface BlockRow {
  header: Uint8Array;
  height: number;
  sequence: number;
  transactions: number;
  state: number;
}

/** A transaction that waits for a block, with what it had when it came in. */
export interface PendingRow {
  sequence: number;
  timeSeconds: number;
  height: number;
  feeSats: bigint;
  /** 1 if a caller of this node sent it. */
  unbroadcast: number;
  raw: Uint8Array;
}

// LevelDB answers with Buffers, whose slice() shares memory: reversing a hash would reverse the row it came from.
const plain = <T>(codec: Codec<T>): Codec<T> => ({ encode: codec.encode, decode: (bytes) => codec.decode(new Uint8Array(bytes)) });
const table = <K, V>(prefix: string, key: Codec<K>, value: Codec<V>): Table<K, V> => ({ prefix, key: plain(key), value: plain(value) });
const coin = record<Coin>({ valueSats: u64, origin: u32, script: rest });

/** What a block spent, in the order of its inputs: each coin behind its length. */
const coins: Codec<Coin[]> = {
  encode: (list) =>
    Uint8Array.from(
      Buffer.concat(
        list.flatMap((spent) => {
          const bytes = coin.encode(spent);
          return [u32.encode(bytes.length), bytes];
        }),
      ),
    ),
  decode(bytes) {
    const list: Coin[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const start = offset + 4;
      const end = start + u32.read(bytes, offset, start);
      list.push(coin.decode(bytes.subarray(start, end)));
      offset = end;
    }
    return list;
  },
};

/** The embedded Bitcoin's own database on one page. Hashes are in internal order, numbers big-endian. */
export const regtestLayout = {
  /** `tip`: the hash of the active chain's last block. `schema`: the version of this page. */
  meta: table('m', text, only(rest)),
  /** Every block of the tree, side branches and invalid ones too. */
  block: table('h', only(hash), record<BlockRow>({ header: fixed(80), height: u32, sequence: u32, transactions: u32, state: u32 })),
  /** Blocks in full, with witness. */
  body: table('b', only(hash), only(rest)),
  /** What each block that was ever connected spent. */
  undo: table('u', only(hash), coins),
  /** The unspent outputs at the tip. */
  coin: table('c', record<CoinKey>({ txid: hash, vout: u32 }), coin),
  /** The mempool. */
  pending: table('p', only(hash), record<PendingRow>({ sequence: u32, timeSeconds: u32, height: u32, feeSats: u64, unbroadcast: u32, raw: rest })),
} as const;

/** The `schema` row this code reads and writes. */
export const SCHEMA = 1;
