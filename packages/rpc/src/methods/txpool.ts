import type { UserTransaction } from '@hemid/hvm';
import { fromHex, toHex } from '@hemid/protocol';
import { checksumAddress } from '../checksum-address.ts';
import { type MethodTable, method } from '../method.ts';
import { address } from '../param.ts';
import { poolContentFromResult, poolContentResult, poolLinesResult, poolStatusResult } from '../result/pool.ts';
import { showUserTransaction } from '../transaction-shape.ts';

type Waiting = ReadonlyMap<string, readonly UserTransaction[]>;

const byNonce = (list: readonly UserTransaction[], show: (transaction: UserTransaction) => unknown): object =>
  Object.fromEntries(list.map((transaction) => [transaction.tx.nonce.toString(), show(transaction)]));

const bySender = (waiting: Waiting, show: (transaction: UserTransaction) => unknown): object =>
  Object.fromEntries([...waiting].map(([sender, list]) => [checksumAddress(fromHex(sender)), byNonce(list, show)]));

/** Geth's line about a transaction. */
function summarise({ tx }: UserTransaction): string {
  const price = 'maxFeePerGas' in tx ? tx.maxFeePerGas : tx.gasPrice;
  const to = tx.to === undefined ? 'contract creation' : checksumAddress(tx.to.bytes);
  return `${to}: ${tx.value} wei + ${tx.gasLimit} gas × ${price} wei`;
}

/** Transactions that wait for a block. */
export const txpool: MethodTable = {
  txpool_status: method({
    doc: 'How many transactions are executable now, and how many wait for an earlier nonce.',
    result: poolStatusResult,
    params: {},
    handle(_, { pool }) {
      const { pending, queued } = pool.counts();
      return { pending: BigInt(pending), queued: BigInt(queued) };
    },
  }),
  txpool_content: method({
    doc: 'The transactions themselves, by sender and nonce.',
    result: poolContentResult,
    params: {},
    handle(_, { pool }) {
      const { pending, queued } = pool.content();
      return { pending: bySender(pending, showUserTransaction), queued: bySender(queued, showUserTransaction) };
    },
  }),
  txpool_contentFrom: method({
    doc: 'The transactions of one sender, by nonce.',
    result: poolContentFromResult,
    params: { address },
    handle(values, { pool }) {
      const { pending, queued } = pool.content();
      const of = (waiting: Waiting): object => byNonce(waiting.get(toHex(values.address)) ?? [], showUserTransaction);
      return { pending: of(pending), queued: of(queued) };
    },
  }),
  txpool_inspect: method({
    doc: 'A line about each transaction, by sender and nonce.',
    result: poolLinesResult,
    params: {},
    handle(_, { pool }) {
      const { pending, queued } = pool.content();
      return { pending: bySender(pending, summarise), queued: bySender(queued, summarise) };
    },
  }),
};
