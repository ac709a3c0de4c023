import { z } from 'zod';
import { nodeConfig } from './config.ts';

const data = { data: nodeConfig.shape.data };
const chain = { chain: z.string().optional().describe('chain spec file (default: chain.json in the data directory, as hemid dev writes it)') };
const number = z.coerce.bigint().min(0n);
const { unspentSet, archive, stateBlocks } = nodeConfig.shape;

/** `hemid db stats`, `hemid db compact`. */
export const dbConfig = z.strictObject(data);

/** `hemid db rollback`. */
export const dbChainConfig = z.strictObject({ ...data, ...chain });

/** `hemid db verify`. */
export const dbVerifyConfig = z.strictObject({
  ...data,
  ...chain,
  from: number
    .optional()
    .describe(
      'first block to execute again; without it all of them, from nothing. As far back as the state is kept, and trusting the state before it',
    ),
  scratch: z
    .string()
    .optional()
    .describe("directory for the database that is built to compare with, deleted at the end (default: the system's temporary one)"),
  unspentSet,
});

/** `hemid db export`. */
export const dbExportConfig = z.strictObject({
  ...data,
  ...chain,
  from: number.default(1n).describe('first block'),
  to: number.optional().describe('last block (default: the head)'),
});

/** `hemid db import`. */
export const dbImportConfig = z.strictObject({ ...data, ...chain, unspentSet, archive, stateBlocks });

export type DbVerifyConfig = Readonly<z.output<typeof dbVerifyConfig>>;
export type DbExportConfig = Readonly<z.output<typeof dbExportConfig>>;
export type DbImportConfig = Readonly<z.output<typeof dbImportConfig>>;
