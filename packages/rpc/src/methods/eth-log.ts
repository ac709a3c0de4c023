import { z } from 'zod';
import { fail } from '../errors.ts';
import { logQuery, showQuery } from '../log-filter.ts';
import { findLogs, isWide } from '../log-search.ts';
import { longRead, type MethodTable, method } from '../method.ts';
import { readElsewhere } from '../read-elsewhere.ts';
import { logResult } from '../result/receipt.ts';
import { hexHash, hexQuantity } from '../result/scalar.ts';
import { toWire } from '../wire.ts';

const id = z.string('must be the id of a filter');

/** Logs, and filters that clients poll. */
export const ethLog: MethodTable = {
  eth_getLogs: longRead({
    doc: 'The logs that match, of one block or of a range: at most 10,000 blocks unless the node is configured otherwise.',
    result: z.array(logResult),
    params: { filter: logQuery },
    isLong: ({ filter }, { chain }) => isWide(filter, chain),
    handle: ({ filter }, context) => findLogs(context, filter),
  }),
  eth_newFilter: method({
    doc: 'Begins to collect logs that match.',
    result: hexQuantity,
    params: { filter: logQuery },
    handle: ({ filter }, { filters }) => filters.open({ collects: 'logs', query: filter }),
  }),
  eth_newBlockFilter: method({
    doc: 'Begins to collect the hashes of new blocks.',
    result: hexQuantity,
    params: {},
    handle: (_, { filters }) => filters.open({ collects: 'blocks' }),
  }),
  eth_newPendingTransactionFilter: method({
    doc: 'Begins to collect the hashes of transactions that the pool takes.',
    result: hexQuantity,
    params: {},
    handle: (_, { filters }) => filters.open({ collects: 'transactions' }),
  }),
  eth_getFilterChanges: method({
    doc: 'What a filter collected since the last call; it is closed when nobody asks for five minutes.',
    result: z.union([z.array(logResult), z.array(hexHash)]),
    params: { id },
    handle: (values, { filters }) => filters.takeChanges(values.id),
  }),
  eth_getFilterLogs: method({
    doc: 'All logs that a log filter matches, as eth_getLogs gives them.',
    result: z.array(logResult),
    params: { id },
    handle(values, context) {
      const kind = context.filters.get(values.id);
      if (kind.collects !== 'logs') throw fail('rpc/not-found', 'filter not found');
      const { chain, longReads } = context;
      if (longReads === undefined || !isWide(kind.query, chain)) return findLogs(context, kind.query);
      // Another thread has no filters, but it searches by what this one was opened with.
      return readElsewhere({ method: 'eth_getLogs', params: [toWire(showQuery(kind.query))] }, { ...context, longReads });
    },
  }),
  eth_uninstallFilter: method({
    doc: 'Closes a filter; false when there was none.',
    result: z.boolean(),
    params: { id },
    handle: (values, { filters }) => filters.close(values.id),
  }),
};
