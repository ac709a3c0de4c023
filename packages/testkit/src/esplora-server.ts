import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BitcoinRpc, satsFromBtc } from '@hemid/bitcoin';

/** An Esplora HTTP API over a bitcoind, on a socket. */
export interface EsploraServer {
  url: string;
  /** Paths that were asked for, oldest first. */
  asked: string[];
  /** While set, every question is answered with this HTTP status. */
  failure: number | undefined;
  /** While true, it has not seen the mempool yet: electrs looks at it every few seconds. */
  isLagging: boolean;
  /** What `/fee-estimates` says. */
  feeEstimates: Record<string, number>;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  body: string | Uint8Array;
}

/** bitcoind's verbose transaction, as much as is needed. */
interface Verbose {
  txid: string;
  hex: string;
  blockhash?: string;
  vin: { txid?: string; vout?: number; coinbase?: string }[];
  vout: { value: number; scriptPubKey: { hex: string; address?: string } }[];
}

const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) });
const text = (body: string | Uint8Array): Answer => ({ status: 200, body });

/** Serves what a miner asks an Esplora server for, in its format; the bitcoind needs `-txindex`. */
export async function serveEsplora(rpc: BitcoinRpc): Promise<EsploraServer> {
  const call = async <T>(method: string, ...params: unknown[]): Promise<T> => (await rpc(method, params)) as T;
  let scans: Promise<unknown> = Promise.resolve();

  async function statusOf(blockhash: string | undefined): Promise<unknown> {
    if (blockhash === undefined) return { confirmed: false };
    const { height, time } = await call<{ height: number; time: number }>('getblockheader', blockhash);
    return { confirmed: true, block_height: height, block_hash: blockhash, block_time: time };
  }

  const verbose = (txid: string): Promise<Verbose> => call('getrawtransaction', txid, 1);

  async function describe(txid: string): Promise<unknown> {
    const { vin, vout, blockhash } = await verbose(txid);
    let paid = 0n;
    for (const input of vin) {
      if (input.txid === undefined || input.vout === undefined) continue;
      paid += satsFromBtc((await verbose(input.txid)).vout[input.vout]?.value);
    }
    const kept = vout.reduce((sum, { value }) => sum + satsFromBtc(value), 0n);
    return {
      txid,
      fee: vin[0]?.coinbase === undefined ? Number(paid - kept) : 0,
      vin: vin.map((input) => ({ txid: input.txid ?? '0'.repeat(64), vout: input.vout ?? 0xffffffff, is_coinbase: input.coinbase !== undefined })),
      vout: vout.map(({ value, scriptPubKey }) => ({ scriptpubkey: scriptPubKey.hex, value: Number(satsFromBtc(value)) })),
      status: await statusOf(blockhash),
    };
  }

  /** Transactions of the mempool that pay an address or spend what it was paid. */
  async function mempoolOf(address: string): Promise<Verbose[]> {
    const found: Verbose[] = [];
    if (served.isLagging) return found;
    for (const txid of await call<string[]>('getrawmempool')) {
      const transaction = await verbose(txid);
      const spent = await Promise.all(
        transaction.vin.map(async ({ txid: parent, vout }) => (parent === undefined ? undefined : (await verbose(parent)).vout[vout ?? 0])),
      );
      if ([...transaction.vout, ...spent].some((output) => output?.scriptPubKey.address === address)) found.push(transaction);
    }
    return found;
  }

  async function utxosOf(address: string): Promise<unknown> {
    // bitcoind does one scan at a time.
    const scan = scans.then(() =>
      call<{ unspents: { txid: string; vout: number; amount: number }[] }>('scantxoutset', 'start', [`addr(${address})`]),
    );
    scans = scan.catch(() => undefined);
    const mempool = await mempoolOf(address);
    const spent = new Set(mempool.flatMap(({ vin }) => vin.map(({ txid, vout }) => `${txid}:${vout}`)));
    const fresh = mempool.flatMap(({ txid, vout }) =>
      vout.flatMap(({ value, scriptPubKey }, n) => (scriptPubKey.address === address ? [{ txid, vout: n, amount: value }] : [])),
    );
    const all = [...(await scan).unspents, ...fresh].filter(({ txid, vout }) => !spent.has(`${txid}:${vout}`));
    return Promise.all(
      all.map(async ({ txid, vout, amount }) => ({
        txid,
        vout,
        value: Number(satsFromBtc(amount)),
        status: await statusOf((await verbose(txid)).blockhash),
      })),
    );
  }

  async function get(path: string): Promise<Answer> {
    const [, kind, name = '', ...rest] = path.split('/');
    const what = rest.join('/');
    if (path === '/blocks/tip/hash') return text(await call('getbestblockhash'));
    if (path === '/blocks/tip/height') return text(String(await call('getblockcount')));
    if (path === '/fee-estimates') return json(served.feeEstimates);
    if (kind === 'block-height') return text(await call('getblockhash', Number(name)));
    if (kind === 'block' && what === 'raw') return text(Buffer.from(await call<string>('getblock', name, 0), 'hex'));
    if (kind === 'block' && what === '') {
      const { height, time } = await call<{ height: number; time: number }>('getblockheader', name);
      return json({ id: name, height, timestamp: time });
    }
    if (kind === 'tx' && what === 'hex') return text((await verbose(name)).hex);
    if (kind === 'tx' && what === 'raw') return text(Buffer.from((await verbose(name)).hex, 'hex'));
    if (kind === 'tx' && what === 'status') {
      const { blockhash } = await verbose(name);
      if (blockhash === undefined && served.isLagging) return { status: 404, body: 'Transaction not found' };
      return json(await statusOf(blockhash));
    }
    if (kind === 'tx' && what === '') return json(await describe(name));
    if (kind === 'address' && what === 'utxo') return json(await utxosOf(name));
    if (kind === 'address' && what === 'txs/mempool')
      return json((await mempoolOf(name)).map(({ txid }) => ({ txid, status: { confirmed: false } })));
    return { status: 404, body: 'Not Found' };
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = request.url ?? '/';
    served.asked.push(path);
    if (served.failure !== undefined) return { status: served.failure, body: 'no' };
    try {
      if (request.method !== 'POST') return await get(path);
      let body = '';
      for await (const chunk of request) body += String(chunk);
      return text(await call('sendrawtransaction', body));
    } catch (error) {
      const { rpcCode, rpcMessage } = (error as { details?: { rpcCode?: number; rpcMessage?: string } }).details ?? {};
      if (rpcCode === undefined) return { status: 500, body: String(error) };
      if (request.method === 'POST')
        return { status: 400, body: `sendrawtransaction RPC error: ${JSON.stringify({ code: rpcCode, message: rpcMessage })}` };
      return { status: 404, body: rpcMessage ?? '' };
    }
  }

  const http = createServer((request, response) => {
    void answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const served: EsploraServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    asked: [],
    failure: undefined,
    isLagging: false,
    feeEstimates: {},
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return served;
}
