import { join } from 'node:path';
import { type BitcoinRpc, createBitcoindRpc, createRpcSource, openRegtest, p2wpkhScript } from '@hemid/bitcoin';
import { scriptToAddress } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import { startBitcoindProcess } from './bitcoind-process.ts';
import { devKey } from './dev-key.ts';
import { fail } from './errors.ts';

/** The Bitcoin of a development network. */
export interface DevBitcoin {
  rpc: BitcoinRpc;
  /** In words, for the banner. */
  kind: string;
  /** Its RPC over HTTP. */
  url: string;
  cookieFile: string | undefined;
  close(): Promise<void>;
}

export interface DevBitcoinOptions {
  directory: string;
  /** Path of a binary, or URL, of a real bitcoind. */
  bitcoind: string | undefined;
  /** Port of the embedded chain's RPC. */
  port: number | undefined;
}

/** Blocks before the hVM genesis: the first ten coinbases are mature. */
const FIRST_BLOCKS = 110;
const DEFAULT_PORT = 18_443;
const RPC_TIMEOUT_MS = 30_000;

/** Where the coinbases of a development network go: the miner's P2WPKH address. */
export function devMinerAddress(): string {
  return scriptToAddress(p2wpkhScript(devKey('miner').publicKey), 'regtest') as string;
}

async function openEmbedded(options: DevBitcoinOptions, deps: { clock: Clock; log: Logger }): Promise<DevBitcoin> {
  const regtest = await openRegtest({ directory: join(options.directory, 'bitcoin'), ...deps });
  if ((await regtest.rpc('getblockcount', [])) === 0) {
    const nowSeconds = Math.floor(deps.clock.now() / 1000);
    const spacing = 20;
    await regtest.mine({ count: FIRST_BLOCKS, address: devMinerAddress(), timeSeconds: (i) => nowSeconds - (FIRST_BLOCKS - i) * spacing });
  }
  const serve = (port: number): Promise<{ url: string }> => regtest.serve({ host: '127.0.0.1', port });
  const serveFree = (error: unknown): Promise<{ url: string }> => {
    if ((error as { code?: string }).code !== 'EADDRINUSE') throw error;
    return serve(0);
  };
  // The usual port if nobody has it; a port that was asked for must be had.
  const { url } = options.port === undefined ? await serve(DEFAULT_PORT).catch(serveFree) : await serve(options.port);
  return { rpc: regtest.rpc, kind: 'embedded regtest', url, cookieFile: undefined, close: regtest.close };
}

async function openBitcoind(bitcoind: string, options: DevBitcoinOptions, deps: { clock: Clock; log: Logger }): Promise<DevBitcoin> {
  if (/^https?:/.test(bitcoind)) {
    const rpc = createBitcoindRpc({ url: bitcoind, timeoutMs: RPC_TIMEOUT_MS });
    return { rpc, kind: 'bitcoind', url: bitcoind.replace(/\/\/[^@/]*@/, '//'), cookieFile: undefined, close: async () => undefined };
  }
  const started = await startBitcoindProcess({ binary: bitcoind, directory: join(options.directory, 'bitcoind') }, deps);
  return { rpc: started.rpc, kind: 'bitcoind', url: started.url, cookieFile: started.cookieFile, close: started.stop };
}

/** Mines the first blocks on a real bitcoind unless the miner's key has a mature coin already. */
async function fund(rpc: BitcoinRpc): Promise<void> {
  const scan = (await rpc('scantxoutset', ['start', [`addr(${devMinerAddress()})`]])) as {
    height: number;
    unspents: { height: number }[];
  };
  if (scan.unspents.some((coin) => scan.height - coin.height >= 100)) return;
  await rpc('generatetoaddress', [FIRST_BLOCKS, devMinerAddress()]);
}

/**
 * Opens the Bitcoin of a development network, with at least {@link FIRST_BLOCKS} blocks.
 *
 * @throws `bitcoin/wrong-network` for anything but regtest: this network mines.
 */
export async function openDevBitcoin(options: DevBitcoinOptions, deps: { clock: Clock; log: Logger }): Promise<DevBitcoin> {
  if (options.bitcoind === undefined) return openEmbedded(options, deps);
  if (options.bitcoind === '') throw fail('node/config', '--bitcoind wants the path of a bitcoind binary or the URL of a running one');
  const bitcoin = await openBitcoind(options.bitcoind, options, deps);
  try {
    await createRpcSource(bitcoin.rpc).checkNetwork('regtest');
    await fund(bitcoin.rpc);
  } catch (error) {
    await bitcoin.close();
    throw error;
  }
  return bitcoin;
}

/** Mines a Bitcoin block to the miner's key every `seconds`. */
export function createBlockProducer(
  deps: { rpc: BitcoinRpc; clock: Clock; onFailure: (error: unknown) => void },
  options: { seconds: number },
): Service {
  const { rpc, clock, onFailure } = deps;
  let loop: Loop | undefined;
  return {
    name: 'bitcoin-blocks',
    start(signal) {
      const mine = async (): Promise<void> => {
        await clock.sleep(options.seconds * 1000, signal);
        if (!signal.aborted) await rpc('generatetoaddress', [1, devMinerAddress()], signal);
      };
      loop = every(clock, 0, mine, signal);
      loop.done.catch((error: unknown) => {
        if (!signal.aborted) onFailure(error);
      });
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
