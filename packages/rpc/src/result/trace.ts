import { z } from 'zod';
import { hexAddress, hexBytes, hexHash, hexQuantity, hexWord, jsonCount } from './scalar.ts';

const structLog = z
  .strictObject({
    pc: jsonCount,
    op: z.string(),
    gas: jsonCount,
    gasCost: jsonCount,
    depth: z.int().min(1),
    stack: z.array(hexQuantity).optional(),
    memory: z.array(hexWord).optional(),
    storage: z.record(hexWord, hexWord).optional(),
    returnData: hexBytes.optional(),
    refund: jsonCount.optional(),
    error: z.string().optional(),
  })
  .meta({ title: 'step' });

const steps = z
  .strictObject({ gas: jsonCount, failed: z.boolean(), returnValue: hexBytes, structLogs: z.array(structLog) })
  .meta({ title: 'struct logs' });

const call = z
  .strictObject({
    type: z.string(),
    from: hexAddress,
    to: hexAddress.optional(),
    gas: hexQuantity,
    gasUsed: hexQuantity,
    input: hexBytes,
    output: hexBytes.optional(),
    error: z.string().optional(),
    revertReason: z.string().optional(),
    value: hexQuantity.optional(),
    // Each of the same form again.
    calls: z.array(z.looseObject({ type: z.string(), from: hexAddress })).optional(),
    logs: z.array(z.strictObject({ address: hexAddress, topics: z.array(hexHash), data: hexBytes, position: hexQuantity })).optional(),
  })
  .meta({ title: 'call' });

const flatCall = z
  .strictObject({
    action: z.record(z.string(), z.string()),
    result: z.record(z.string(), z.string()).nullable(),
    error: z.string().optional(),
    subtraces: jsonCount,
    traceAddress: z.array(jsonCount),
    type: z.enum(['call', 'create', 'suicide']),
    blockHash: hexHash,
    blockNumber: jsonCount,
    transactionHash: hexHash.optional(),
    transactionPosition: jsonCount.optional(),
  })
  .meta({ title: 'flat call' });

const account = z
  .strictObject({
    balance: hexQuantity.optional(),
    nonce: jsonCount.optional(),
    code: hexBytes.optional(),
    storage: z.record(hexWord, hexWord).optional(),
  })
  .meta({ title: 'account' });
const accounts = z.record(hexAddress, account);

const TRACERS = ['callTracer', 'flatCallTracer', 'prestateTracer', '4byteTracer', 'muxTracer', 'noopTracer'] as const;

/** What a tracer tells of a transaction: struct logs, or in the form of the tracer that was named. */
export const traceResult = z.union([
  steps,
  call,
  z.array(flatCall),
  accounts,
  z.strictObject({ pre: accounts, post: accounts }).meta({ title: 'state difference' }),
  z.record(z.string().regex(/^0x[0-9a-f]{8}-\d+$/), jsonCount),
  z.partialRecord(z.enum(TRACERS), z.unknown()),
]);

/** The traces of a block's transactions. */
export const blockTraceResult = z.array(z.strictObject({ txHash: hexHash, result: traceResult }).meta({ title: 'transaction trace' }));
