import { z } from 'zod';
import { createBudget } from './budget.ts';
import type { TraceOptions } from './tracer.ts';

const MAX_TRACERS = 8;
const flag = z.boolean().nullish();
const settings = z
  .record(z.string(), z.unknown())
  .refine((config) => Object.keys(config).length <= MAX_TRACERS, `must be at most ${MAX_TRACERS} settings`);

/** The settings of a trace, as geth takes them. */
export const traceOptions = z
  .object({
    tracer: z.string().max(64, 'must be the name of a tracer: scripts are not run').nullish(),
    tracerConfig: settings.nullish(),
    disableStack: flag,
    disableStorage: flag,
    enableMemory: flag,
    enableReturnData: flag,
    limit: z.int().min(0).nullish(),
  })
  .nullish()
  .transform(
    (options): TraceOptions => ({
      tracer: options?.tracer ?? undefined,
      tracerConfig: options?.tracerConfig ?? {},
      disableStack: options?.disableStack ?? false,
      disableStorage: options?.disableStorage ?? false,
      enableMemory: options?.enableMemory ?? false,
      enableReturnData: options?.enableReturnData ?? false,
      limit: options?.limit ?? 0,
      spend: createBudget(),
    }),
  );
