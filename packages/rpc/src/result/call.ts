import { z } from 'zod';
import { bodyFields, headerFields } from './block.ts';
import { logResult } from './receipt.ts';
import { hexBytes, hexQuantity } from './scalar.ts';
import { accessList } from './transaction.ts';

/** `eth_createAccessList`. */
export const accessListResult = z.strictObject({ accessList, error: z.string().optional(), gasUsed: hexQuantity }).meta({ title: 'access list' });

const callError = z.strictObject({ code: z.int(), message: z.string(), data: hexBytes.optional() }).meta({ title: 'call error' });

const simulatedCall = z
  .strictObject({
    returnData: hexBytes,
    logs: z.array(logResult),
    gasUsed: hexQuantity,
    maxUsedGas: hexQuantity,
    status: z.enum(['0x0', '0x1']),
    error: callError.optional(),
  })
  .meta({ title: 'simulated call' });

/** A block of `eth_simulateV1`. */
export const simulatedBlockResult = z
  .strictObject({ ...headerFields, ...bodyFields, calls: z.array(simulatedCall) })
  .meta({ title: 'simulated block' });
