import type { RpcContext } from './context.ts';
import type { LongRead, LongReads } from './ports.ts';
import { type JsonText, jsonText } from './wire.ts';

/** Has a long read carried out in another thread; @returns its result as it is sent. */
export async function readElsewhere(
  { method, params }: Pick<LongRead, 'method' | 'params'>,
  { limits, longReads, isOver }: Pick<RpcContext, 'limits' | 'isOver'> & { longReads: LongReads },
): Promise<JsonText> {
  const { gasCap, logBlocks, logs } = limits;
  return jsonText(await longReads.run({ method, params, limits: { gasCap, logBlocks, logs } }, isOver));
}
