import { z } from 'zod';

const hex = (digits: string, what: string) => z.string().regex(new RegExp(`^0x${digits}$`), `is not ${what}`);
const quantity = hex('(0|[1-9a-f][0-9a-f]{0,63})', 'a quantity');
const word = hex('[0-9a-f]{64}', '32 bytes');
const address = hex('[0-9a-fA-F]{40}', 'an address');
const bytes = hex('([0-9a-f]{2})*', 'bytes');
const bloom = hex('[0-9a-f]{512}', '256 bytes');
const integer = z.int().min(0);

const structLog = z.strictObject({
  pc: integer,
  op: z.string(),
  gas: integer,
  gasCost: integer,
  depth: z.int().min(1),
  stack: z.array(quantity).nullish(),
  memory: z.array(word).optional(),
  storage: z.record(word, word).optional(),
  returnData: bytes.optional(),
  refund: integer.optional(),
  error: z.string().optional(),
});
const structTrace = z.strictObject({ gas: integer, failed: z.boolean(), returnValue: bytes, structLogs: z.array(structLog) });
const blockTrace = z.array(z.strictObject({ txHash: word, result: structTrace }));

const accessList = z.array(z.strictObject({ address, storageKeys: z.array(word) }));
const capability = z.strictObject({
  disabled: z.boolean(),
  oldestBlock: quantity.optional(),
  deleteStrategy: z.strictObject({ type: z.string(), retentionBlocks: quantity.optional() }).optional(),
});

const waiting = z.object({
  blockHash: z.null(),
  blockNumber: z.null(),
  from: address,
  gas: quantity,
  hash: word,
  input: bytes,
  nonce: quantity,
  to: address.nullable(),
  transactionIndex: z.null(),
  value: quantity,
  type: hex('[0-9a-f]{1,2}', 'a type'),
  r: quantity,
  s: quantity,
});
const byNonce = z.record(z.string().regex(/^\d+$/), waiting);
const bySender = z.record(address, byNonce);

const payload = z.strictObject({
  parentHash: word,
  feeRecipient: address,
  stateRoot: word,
  receiptsRoot: word,
  logsBloom: bloom,
  prevRandao: word,
  blockNumber: quantity,
  gasLimit: quantity,
  gasUsed: quantity,
  timestamp: quantity,
  extraData: bytes,
  baseFeePerGas: quantity,
  blockHash: word,
  transactions: z.array(bytes),
  withdrawals: z.array(z.unknown()),
  blobGasUsed: quantity,
  excessBlobGas: quantity,
});

/** Results of the execution APIs, as their specification has them, for the methods that have cases without a fixed answer. */
const RESULTS: Record<string, z.ZodType> = {
  debug_traceBlockByHash: blockTrace,
  debug_traceBlockByNumber: blockTrace,
  debug_traceTransaction: structTrace,
  eth_capabilities: z.strictObject({
    head: z.strictObject({ number: quantity, hash: word }),
    state: capability,
    tx: capability,
    logs: capability,
    receipts: capability,
    blocks: capability,
    stateproofs: capability,
  }),
  eth_createAccessList: z.strictObject({ accessList, error: z.string().optional(), gasUsed: quantity }),
  eth_estimateGas: quantity,
  eth_feeHistory: z.strictObject({
    oldestBlock: quantity,
    baseFeePerGas: z.array(quantity),
    baseFeePerBlobGas: z.array(quantity).optional(),
    gasUsedRatio: z.array(z.number().min(0).max(1)),
    blobGasUsedRatio: z.array(z.number().min(0).max(1)).optional(),
    reward: z.array(z.array(quantity)).optional(),
  }),
  eth_sendRawTransaction: word,
  testing_buildBlockV1: z.looseObject({ executionPayload: payload, blockValue: quantity, executionRequests: z.array(bytes) }),
  txpool_content: z.strictObject({ pending: bySender, queued: bySender }),
  txpool_contentFrom: z.strictObject({ pending: byNonce, queued: byNonce }),
  txpool_status: z.strictObject({ pending: quantity, queued: quantity }),
};

const failure = z.object({ error: z.strictObject({ code: z.int(), message: z.string(), data: z.unknown().optional() }) });

/** The schema of an example, for methods without one of their own: the same fields, and values of the same kind. */
function shapeOf(example: unknown): z.ZodType {
  if (example === null || example === undefined) return z.null();
  if (Array.isArray(example)) return z.array(example.length === 0 ? z.unknown() : shapeOf(example[0]));
  if (typeof example === 'object') return z.looseObject(Object.fromEntries(Object.entries(example).map(([name, value]) => [name, shapeOf(value)])));
  if (typeof example === 'string') return example.startsWith('0x') ? hex('[0-9a-fA-F]*', 'hex') : z.string();
  return typeof example === 'number' ? z.number() : z.boolean();
}

/** @throws an error unless a result has the form that the specification gives to its method, where it is known here. */
export function expectForm(method: string, answer: unknown): void {
  if (RESULTS[method] !== undefined && (answer as { error?: unknown }).error === undefined) expectSchema(method, answer, {});
}

/** @throws an error unless an answer is of the kind that is expected, an error or a result, and of the schema of its method. */
export function expectSchema(method: string, answer: unknown, expected: unknown): void {
  const result = RESULTS[method] ?? shapeOf((expected as { result?: unknown }).result);
  const schema = (expected as { error?: unknown }).error === undefined ? z.object({ result }) : failure;
  const parsed = schema.safeParse(answer);
  if (parsed.success) return;
  const issue = parsed.error.issues[0];
  throw new Error(`${issue?.path.join('.')}: ${issue?.message} (${JSON.stringify(answer)?.slice(0, 200)})`);
}
