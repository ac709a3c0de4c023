import { z } from 'zod';
import { createNameTest, readTimeouts } from './name-pattern.ts';

const count = (least: number) => z.coerce.number().int().min(least);
const list = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** What the RPC takes upon itself, as a node is configured. */
export const rpcConfig = z.strictObject({
  rpcMethods: z
    .string()
    .default('*')
    .describe(
      'methods that are answered, with commas; * stands for the rest of a name, a leading - forbids, the last that fits counts: eth_*,-eth_simulateV1',
    ),
  rpcOrigins: z.string().default('*').describe('web origins that may ask, with commas; * = all'),
  rpcHosts: z.string().default('*').describe('host names by which the RPC may be called, with commas; * = all'),
  rpcTrustProxy: z.boolean().default(false).describe('take the address of a client from the end of X-Forwarded-For: only behind a proxy of your own'),
  rpcRate: count(0).default(0).describe('calls that one address may make in a second, on average over five; 0 = as many as it likes'),
  rpcBatch: count(1).default(1000).describe('calls of one batch'),
  rpcBodyKb: count(1).default(5000).describe('largest request, thousand bytes'),
  rpcAnswerKb: count(1).default(25_000).describe('thousand bytes of a batch of answers after which the rest is refused'),
  rpcSockets: count(1).default(1000).describe('websockets that are open at once'),
  rpcSocketBufferKb: count(1).default(16_000).describe('thousand bytes that a websocket may leave unread before it is cut off'),
  rpcTimeouts: z
    .string()
    .default('*=30000')
    .superRefine((text, context) => {
      if (readTimeouts(text) === undefined) context.addIssue({ code: 'custom', message: 'must look like *=30000,debug_*=60000' });
    })
    .describe('milliseconds after which a call is given up, by method, with commas; the last that fits counts: *=30000,debug_*=60000'),
  rpcGasCap: count(21_000).default(50_000_000).describe('gas that a call which is tried out may take, or all calls of one eth_simulateV1'),
  rpcLogBlocks: count(1).default(10_000).describe('blocks of one eth_getLogs'),
  rpcLogs: count(1).default(20_000).describe('logs of one eth_getLogs'),
  rpcCheckAnswers: z
    .boolean()
    .default(false)
    .describe('hold every answer against the form that its method promises, and fail when it is another: for tests'),
});

/** What one call may ask for. */
export interface ReadLimits {
  gasCap: bigint;
  logBlocks: bigint;
  logs: number;
}

/** What the RPC takes upon itself. */
export interface RpcLimits extends ReadLimits {
  allows(method: string): boolean;
  origins: readonly string[];
  hosts: readonly string[];
  trustsProxy: boolean;
  /** Calls per second and address; 0: no limit. */
  rate: number;
  batch: number;
  bodyBytes: number;
  answerBytes: number;
  sockets: number;
  /** A websocket that leaves more than this unread is cut off. */
  socketBufferBytes: number;
  timeoutMs(method: string): number;
  /** Whether answers are held against the schemas of their methods. */
  checksAnswers: boolean;
}

/** The limits of a configuration, the usual ones for what it leaves out. */
export function createLimits(config: Partial<z.output<typeof rpcConfig>> = {}): RpcLimits {
  const all = rpcConfig.parse(config);
  const timeouts = readTimeouts(all.rpcTimeouts) ?? (() => 0);
  return {
    allows: createNameTest(list(all.rpcMethods)),
    origins: list(all.rpcOrigins),
    hosts: list(all.rpcHosts),
    trustsProxy: all.rpcTrustProxy,
    rate: all.rpcRate,
    batch: all.rpcBatch,
    bodyBytes: all.rpcBodyKb * 1000,
    answerBytes: all.rpcAnswerKb * 1000,
    sockets: all.rpcSockets,
    socketBufferBytes: all.rpcSocketBufferKb * 1000,
    timeoutMs: timeouts,
    gasCap: BigInt(all.rpcGasCap),
    logBlocks: BigInt(all.rpcLogBlocks),
    logs: all.rpcLogs,
    checksAnswers: all.rpcCheckAnswers,
  };
}
