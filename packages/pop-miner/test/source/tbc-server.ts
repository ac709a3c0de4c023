import type { AddressInfo } from 'node:net';
import { type BitcoinRpc, parseBlock, satsFromBtc } from '@hemid/bitcoin';
import { type BitcoinTransaction, fromHex, hashAbbreviated, readPopScript, toDisplay, toKeystoneId } from '@hemid/protocol';
import { WebSocketServer } from 'ws';

/** A TBC node's websocket over a bitcoind: the frames of protocol section 12. */
export interface TbcServer {
  url: string;
  /** Commands that were asked, oldest first. */
  asked: string[];
  /** While true, it sends no ping. */
  isSilent: boolean;
  /** What `fee-estimate` says. */
  feeEstimate: { blocks: number; sats_per_vbyte: number }[];
  /** Cuts all connections off. */
  hangUp(): void;
  close(): Promise<void>;
}

type Payload = Record<string, unknown>;

interface Placed {
  height: number;
  hash: string;
  raw: string;
  ids: string[];
}

const idsIn = ({ outputs }: BitcoinTransaction): string[] =>
  outputs.flatMap(({ script }) => {
    const keystone = readPopScript(script);
    return keystone === undefined ? [] : [toKeystoneId(hashAbbreviated(keystone))];
  });

/** Serves what a miner asks a TBC node for; the bitcoind needs `-txindex`. */
export async function serveTbc(rpc: BitcoinRpc): Promise<TbcServer> {
  const call = async <T>(method: string, ...params: unknown[]): Promise<T> => (await rpc(method, params)) as T;
  const hashAt = (height: number): Promise<string> => call('getblockhash', height);

  const read = new Map<string, Omit<Placed, 'height'>[]>();

  async function readBlock(hash: string): Promise<Omit<Placed, 'height'>[]> {
    const found: Omit<Placed, 'height'>[] = [];
    for (const transaction of parseBlock(fromHex(await call<string>('getblock', hash, 0))).transactions) {
      const ids = idsIn(transaction);
      if (ids.length > 0) found.push({ hash, raw: await call('getrawtransaction', toDisplay(transaction.txid)), ids });
    }
    return found;
  }

  let last: { best: string; placed: Placed[] } = { best: '', placed: [] };

  async function publications(): Promise<Placed[]> {
    const best = await call<string>('getbestblockhash');
    if (last.best === best) return last.placed;
    const placed: Placed[] = [];
    for (let height = 0; height <= (await call<number>('getblockcount')); height += 1) {
      const hash = await hashAt(height);
      const found = read.get(hash) ?? (await readBlock(hash));
      read.set(hash, found);
      placed.push(...found.map((one) => ({ ...one, height })));
    }
    last = { best, placed };
    return placed;
  }

  async function utxos({ address, filter_mempool, start, count }: Payload): Promise<Payload> {
    type Unspent = { txid: string; vout: number; amount: number };
    const { unspents } = await call<{ unspents: Unspent[] }>('scantxoutset', 'start', [`addr(${address})`]);
    const shown: Payload[] = [];
    for (const { txid, vout, amount } of unspents.slice(Number(start), Number(start) + Number(count))) {
      const isFree = (await call('gettxout', txid, vout, true)) !== null;
      if (filter_mempool !== true || isFree) shown.push({ tx_id: txid, value: Number(satsFromBtc(amount)), out_index: vout });
    }
    return { utxos: shown };
  }

  const commands: Record<string, (payload: Payload) => Promise<Payload>> = {
    'block-header-best-raw': async () => ({
      height: await call('getblockcount'),
      block_header: await call('getblockheader', await call('getbestblockhash'), false),
    }),
    'block-headers-by-height-raw': async ({ height }) => ({ block_headers: [await call('getblockheader', await hashAt(Number(height)), false)] }),
    'utxos-by-address': utxos,
    'fee-estimate': async () => ({ fee_estimate: served.feeEstimate }),
    'tx-broadcast-raw': async ({ tx }) => ({ tx_id: await call('sendrawtransaction', tx) }),
    async 'tx-by-id'({ tx_id }) {
      const { blockhash } = await call<{ blockhash?: string }>('getrawtransaction', tx_id, 1);
      if (blockhash === undefined) throw new Error('tx not found');
      return { tx: {} };
    },
    async 'block-by-l2-abrev-hash'({ l2_keystone_abrev_hashes: ids }) {
      const all = await publications();
      const blocks = (ids as string[]).map((id) => {
        const first = all.find((one) => one.ids.includes(id));
        if (first === undefined) {
          const error = { timestamp: 0, message: `keystone not found: ${id}` };
          return { l2_keystone_abrev: null, l2_keystone_block_hash: null, l2_keystone_block_height: 0, error };
        }
        return { l2_keystone_abrev: {}, l2_keystone_block_hash: first.hash, l2_keystone_block_height: first.height };
      });
      return { l2_keystone_blocks: blocks, btc_tip_block_hash: await call('getbestblockhash'), btc_tip_block_height: await call('getblockcount') };
    },
    async 'l2-keystone-txs-by-abrev-hash'({ l2_keystone_abrev_hash: id, depth }) {
      const all = (await publications()).filter(({ ids }) => ids.includes(String(id)));
      const first = all[0]?.height ?? 0;
      const near = all.filter(({ height }) => height < first + Number(depth));
      return { keystone_txs: near.map(({ height, hash, raw }) => ({ block_hash: hash, block_height: height, tx_index: 1, raw_tx: raw })) };
    },
  };

  async function answer(text: string): Promise<string | undefined> {
    const { header, payload } = JSON.parse(text) as { header: { command: string; id: string }; payload: Payload };
    if (header.command.endsWith('-response')) return undefined;
    const name = header.command.replace(/^tbcapi-|-request$/g, '');
    served.asked.push(name);
    const command = header.command.replace(/-request$/, '-response');
    try {
      const result = await commands[name]?.(payload);
      return JSON.stringify({ header: { command, id: header.id }, payload: result });
    } catch (error) {
      const message = (error as { details?: { rpcMessage?: string } }).details?.rpcMessage ?? (error as Error).message;
      return JSON.stringify({ header: { command, id: header.id }, payload: { error: { timestamp: 0, message } } });
    }
  }

  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/v1/ws' });
  server.on('connection', (socket) => {
    let pong = false;
    socket.on('message', (data) => {
      const text = String(data);
      // A client that speaks before it was spoken to would hang the public network's server.
      if (!pong && !text.includes('tbcapi-ping-response')) return socket.close(4100);
      pong = true;
      void answer(text).then((reply) => reply !== undefined && socket.send(reply));
    });
    if (!served.isSilent) socket.send(JSON.stringify({ header: { command: 'tbcapi-ping-request', id: '0' }, payload: { timestamp: 1 } }));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const hangUp = (): void => {
    for (const client of server.clients) client.terminate();
  };
  const served: TbcServer = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws`,
    asked: [],
    isSilent: false,
    feeEstimate: [],
    hangUp,
    close() {
      hangUp();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return served;
}
