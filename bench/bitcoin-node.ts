import { readFileSync } from 'node:fs';
import {
  bitcoinIndex,
  createBitcoindRpc,
  createBitcoinSync,
  createBitcoinView,
  createBlockStore,
  createRpcSource,
  createWalker,
  openHeaderChain,
} from '../packages/bitcoin/src/index.ts';
import { bindAll } from '../packages/hvm/src/index.ts';
import { type ChainSpec, concat, displayBytes, parseChainSpec, scriptToAddress } from '../packages/protocol/src/index.ts';
import { createLogger, systemClock } from '../packages/runtime/src/index.ts';
import { openStore, type Store } from '../packages/store/src/index.ts';

/*
 * What is measured, in a process of its own: `index STORE SPEC URL` fetches, parses and indexes with the node's own
 * code; `precompile STORE SPEC` asks the precompiles. Writes one JSON line.
 */

const log = createLogger({ level: 'info', format: 'json' });

async function openParts(store: Store, spec: ChainSpec) {
  const headers = await openHeaderChain(store, spec);
  const blocks = createBlockStore(store);
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  return { headers, blocks, index };
}

async function runIndex(store: Store, spec: ChainSpec, url: string): Promise<object> {
  const parts = await openParts(store, spec);
  const source = createRpcSource(createBitcoindRpc({ url, timeoutMs: 30_000 }));
  const started = performance.now();
  const cpu = process.cpuUsage();
  const onTip = (): Promise<void> => parts.index.moveTo(parts.headers.best().hash);
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const sync = createBitcoinSync({ spec, source, ...parts, clock: systemClock, log, onTip, onFailure }, { pollMs: 1000 });
  await sync.pull();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const blocks = parts.index.position().height - spec.genesis.bitcoin.genesisHeight;
  return { seconds, cpuSeconds: (user + system) / 1e6, blocks, rssMb: Math.round(process.resourceUsage().maxRSS / 1024) };
}

/** Every field of 0x42, some inputs and outputs. */
const ALL_FIELDS = Uint8Array.of(0x7f, 0xbc, 0x1b, 0x0f);
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value);

/** Inputs for each precompile that reads the index, spread over the chain. */
function inputsFor({ headers, blocks }: Awaited<ReturnType<typeof openParts>>, samples: number): Map<number, Uint8Array[]> {
  const inputs = new Map<number, Uint8Array[]>([0x40, 0x41, 0x42, 0x43, 0x46, 0x47, 0x48, 0x49].map((address) => [address, []]));
  const { height } = headers.best();
  const first = headers.genesis.height + 2;
  for (let i = 0; i < samples; i += 1) {
    const header = headers.ancestor(headers.best().hash, first + Math.floor(((height - 2 - first) * i) / samples));
    const transactions = header === undefined ? [] : blocks.get(header.hash).transactions;
    const transaction = transactions[1 + ((i * 37) % (transactions.length - 1))];
    const script = transaction?.outputs[1]?.script;
    if (transaction === undefined || script === undefined) throw new Error('the chain is too short');
    const address = new TextEncoder().encode(scriptToAddress(script, 'regtest') ?? '');
    const txid = displayBytes(transaction.txid);
    const place = concat(txid, u16(0));
    inputs.get(0x40)?.push(address);
    inputs.get(0x41)?.push(concat(address, Uint8Array.of(0, 0, 0, 10)));
    inputs.get(0x42)?.push(concat(txid, ALL_FIELDS));
    inputs.get(0x43)?.push(txid);
    inputs.get(0x46)?.push(address);
    inputs.get(0x47)?.push(concat(place, u16(80)));
    inputs.get(0x48)?.push(concat(place, u16(80)));
    inputs.get(0x49)?.push(concat(place, u16(0), u16(80)));
  }
  return inputs;
}

async function runPrecompiles(store: Store, spec: ChainSpec): Promise<object> {
  const SAMPLES = 200;
  const WARM_ROUNDS = 20;
  // Inputs come from another handle on the rows, so that the first call of each finds nothing in the node's own caches.
  const inputs = inputsFor(await openParts(store, spec), SAMPLES);
  const parts = await openParts(store, spec);
  const view = createBitcoinView({ store, spec, ...parts }, parts.headers.best().hash);
  const bound = new Map(bindAll(view, spec).map((one) => [Number(BigInt(one.address.toString())), one.function]));
  const calls: Record<string, { coldUs: number; warmUs: number }> = {};
  for (const [address, list] of inputs) {
    const call = bound.get(address);
    if (call === undefined) continue;
    const answer = call;
    async function ask(data: Uint8Array): Promise<void> {
      const { exceptionError, returnValue } = await answer({ data, gasLimit: 10_000_000n } as never);
      if (exceptionError !== undefined || returnValue.length === 0) throw new Error(`0x${address.toString(16)} did not answer`);
    }
    const cold = performance.now();
    for (const data of list) await ask(data);
    const coldUs = ((performance.now() - cold) / list.length) * 1000;
    // Warm: the same few again and again, as a contract does that reads one thing in a loop.
    const few = list.slice(-8);
    for (let i = 0; i < 400; i += 1) await ask(few[i % few.length] as Uint8Array);
    const warm = performance.now();
    for (let i = 0; i < WARM_ROUNDS * list.length; i += 1) await ask(few[i % few.length] as Uint8Array);
    const warmUs = ((performance.now() - warm) / (WARM_ROUNDS * list.length)) * 1000;
    calls[`0x${address.toString(16)}`] = { coldUs: Math.round(coldUs * 10) / 10, warmUs: Math.round(warmUs * 10) / 10 };
  }
  return { calls, rssMb: Math.round(process.resourceUsage().maxRSS / 1024) };
}

const [what, directory, specFile, url] = process.argv.slice(2);
const spec = parseChainSpec(JSON.parse(readFileSync(specFile ?? '', 'utf8')));
const store = await openStore(directory ?? '');
const result = what === 'index' ? await runIndex(store, spec, url ?? '') : await runPrecompiles(store, spec);
await store.close();
console.log(JSON.stringify(result));
process.exit(0);
