import { RLP } from '@ethereumjs/rlp';
import { concat, encodeHeader, type L2Block, toMinimal } from '@hemid/protocol';

/** Coins that a beacon chain pays out (EIP-4895); this chain has none. */
export interface Withdrawal {
  index: bigint;
  validatorIndex: bigint;
  address: Uint8Array;
  /** Gwei. */
  amount: bigint;
}

/** A block with what other chains put into theirs. */
export interface ForeignBlock extends L2Block {
  withdrawals?: Withdrawal[];
  /** RLP of the header of each. */
  ommers?: Uint8Array[];
}

/** The withdrawals of a block: none, or `undefined` for a block that is older than them. */
export function withdrawalsOf(block: ForeignBlock): Withdrawal[] | undefined {
  return block.withdrawals ?? (block.header.withdrawalsRoot === undefined ? undefined : []);
}

function listOf(items: readonly Uint8Array[]): Uint8Array {
  const payload = concat(...items);
  if (payload.length < 56) return concat(Uint8Array.of(0xc0 + payload.length), payload);
  const size = toMinimal(payload.length);
  return concat(Uint8Array.of(0xf7 + size.length), size, payload);
}

const isList = (raw: Uint8Array): boolean => (raw[0] ?? 0) >= 0xc0;

/** A block as Ethereum's wire has it: RLP [header, transactions, ommers, withdrawals]. */
export function encodeBlock(block: ForeignBlock): Uint8Array {
  const transactions = block.transactions.map((raw) => (isList(raw) ? raw : RLP.encode(raw)));
  const withdrawals = withdrawalsOf(block)?.map(({ index, validatorIndex, address, amount }) =>
    RLP.encode([toMinimal(index), toMinimal(validatorIndex), address, toMinimal(amount)]),
  );
  const parts = [encodeHeader(block.header), listOf(transactions), listOf(block.ommers ?? [])];
  return listOf(withdrawals === undefined ? parts : [...parts, listOf(withdrawals)]);
}
