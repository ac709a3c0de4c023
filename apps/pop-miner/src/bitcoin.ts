import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { type BitcoinHead, createEsploraBitcoin, createMinerBitcoind, createTbcBitcoin, type MinerBitcoin, type PopWallet } from '@hemid/pop-miner';
import { type Logger, silentLogger } from '@hemid/runtime';
import { bitcoinSourceOf, type PopmdConfig } from './config.ts';

/** Bitcoin as popmd sees it. */
export interface BitcoinConnection {
  bitcoin: MinerBitcoin;
  readHead: (signal?: AbortSignal) => Promise<BitcoinHead>;
}

const CALL_TIMEOUT_MS = 30_000;
/** A scan of mainnet's unspent outputs takes minutes. */
const SCAN_TIMEOUT_MS = 1_800_000;

/** Bitcoin through the source that is configured, as the owner of a wallet sees it. */
export function connectBitcoin(config: PopmdConfig, wallet: PopWallet, log: Logger = silentLogger): BitcoinConnection {
  const source = bitcoinSourceOf(config);
  if (source === 'bitcoind') {
    const rpc = createRpc(config);
    return { bitcoin: createMinerBitcoind({ rpc, wallet, log }), readHead: (signal) => readHead(rpc, signal) };
  }
  const create = source === 'esplora' ? createEsploraBitcoin : createTbcBitcoin;
  const bitcoin = create(config.bitcoinUrl, { wallet, log, timeoutMs: CALL_TIMEOUT_MS });
  return { bitcoin, readHead: bitcoin.head };
}

function createRpc({ bitcoinUrl: url, bitcoinCookie }: PopmdConfig): BitcoinRpc {
  const access = { url, ...(bitcoinCookie === undefined ? {} : { cookieFile: bitcoinCookie }) };
  const rpc = createBitcoindRpc({ ...access, timeoutMs: CALL_TIMEOUT_MS });
  const patientRpc = createBitcoindRpc({ ...access, timeoutMs: SCAN_TIMEOUT_MS });
  return (method, params, signal) => (method === 'scantxoutset' ? patientRpc : rpc)(method, params, signal);
}

async function readHead(rpc: BitcoinRpc, signal?: AbortSignal): Promise<BitcoinHead> {
  const hash = (await rpc('getbestblockhash', [], signal)) as string;
  const { height, time } = (await rpc('getblockheader', [hash], signal)) as { height: number; time: number };
  return { hash, height, time };
}
