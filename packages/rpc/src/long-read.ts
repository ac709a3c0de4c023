import type { ChainView } from '@hemid/chain';
import { createBlockTexts, createTextCaches } from './block-text.ts';
import type { ReadContext, RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { createLogSearches } from './log-search.ts';
import { readParams } from './method.ts';
import { methods } from './methods/table.ts';
import type { LongRead } from './ports.ts';
import { createRules } from './rules.ts';
import { createTransactionDecoder } from './transaction-decoder.ts';
import { toWireText } from './wire.ts';
import type { WireText } from './wire-text.ts';

/** What carries out long reads in a thread that has nothing but a view of the chain. */
export interface LongReader {
  /** @returns the result as it is sent. @throws `rpc/method-not-found` for what is no long read, and whatever the method throws. */
  run(call: LongRead, at: { chain: ChainView; isOver(): boolean }): Promise<WireText>;
}

/** Creates a {@link LongReader}; what it made of a block once it keeps from view to view. */
export function createLongReader(): LongReader {
  const rules = createRules();
  const caches = createTextCaches();
  const searches = createLogSearches();
  return {
    async run({ method, params, limits }, { chain, isOver }) {
      const row = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (row?.isLong === undefined) throw fail('rpc/method-not-found', `the method ${method} is no long read`);
      const decode = createTransactionDecoder(chain);
      const texts = createBlockTexts({ chain, rules, decode }, caches);
      const context: ReadContext = { chain, rules, decode, texts, searches, limits, isOver };
      // A row made by `longRead` looks at nothing else.
      return toWireText(await row.handle(readParams(row.params, params) as never, context as RpcContext));
    },
  };
}
