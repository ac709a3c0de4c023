import {
  abbreviate,
  addressOfKey,
  encodePopScript,
  fromDisplay,
  fromKeystoneJson,
  hashKeystone,
  type KeystoneJson,
  toDigits,
  toDisplay,
  toKeystoneId,
} from '@hemid/protocol';
import { type BitcoinWallet, buildTransaction, signTransaction } from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';
import WebSocket from 'ws';

/** The public network's programs as they behave towards the programs they are pointed at: frame by frame, and no more. */

// biome-ignore lint/suspicious/noExplicitAny: it is whatever the server sent; each assertion says what it must be.
type Answer = any;

async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** A connection to a TBC: it sends nothing before the server's ping. */
export interface TbcClient {
  /** The payload of a response; throws the message of its error. */
  call(name: string, payload: object): Promise<Answer>;
  /** Sends a text as it is; @returns the next frame that comes. */
  send(text: string): Promise<Answer>;
  onClose(listener: () => void): void;
  close(): void;
}

export async function connectTbc(url: string): Promise<TbcClient> {
  const socket = new WebSocket(url);
  const waiting = new Map<string, (frame: Answer) => void>();
  let next: (frame: Answer) => void = () => undefined;
  const ping = new Promise<Answer>((resolve) => {
    next = resolve;
  });
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data));
    (waiting.get(frame.header.id) ?? next)(frame);
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const { header, payload } = await ping;
  if (header.command !== 'tbcapi-ping-request' || header.id !== '0' || typeof payload.timestamp !== 'number') {
    throw new Error(`the server did not ping first: ${JSON.stringify(header)}`);
  }
  let calls = 0;
  return {
    async call(name, body) {
      calls += 1;
      const id = String(calls);
      const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ header: { command: `tbcapi-${name}-request`, id }, payload: body }));
      const frame = await answer;
      waiting.delete(id);
      if (frame.header.command !== `tbcapi-${name}-response`) throw new Error(`answered by ${frame.header.command}`);
      if (frame.payload.error !== undefined) throw new Error(frame.payload.error.message);
      return frame.payload;
    },
    send(text) {
      const answer = new Promise<Answer>((resolve) => {
        next = resolve;
      });
      socket.send(text);
      return answer;
    },
    onClose: (listener) => void socket.once('close', listener),
    close: () => socket.terminate(),
  };
}

/** A connection to an op-geth. */
export interface GethClient {
  call(method: string, params: unknown[]): Promise<Answer>;
  /** Results of the notifications that came so far. */
  notes: Answer[];
  close(): void;
}

export async function connectGeth(url: string): Promise<GethClient> {
  const socket = await openSocket(url);
  const waiting = new Map<number, (answer: Answer) => void>();
  const notes: Answer[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    // go-ethereum's client takes any method that ends like this for a notification.
    if (message.method?.endsWith('_subscription')) notes.push(message.params.result);
    else waiting.get(message.id)?.(message);
  });
  let calls = 0;
  return {
    notes,
    async call(method, params) {
      calls += 1;
      const id = calls;
      const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      const { result, error } = await answer;
      if (error !== undefined) throw new Error(`${error.message} (${error.code})`);
      return result;
    },
    close: () => socket.terminate(),
  };
}

const idOf = (keystone: KeystoneJson): string => toKeystoneId(hashKeystone(fromKeystoneJson(keystone)));

interface Utxo {
  tx_id: string;
  value: number;
  out_index: number;
}

/** A transaction as Go's encoding/json writes btcd's wire.MsgTx. */
function toGoJson(transaction: Transaction): object {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return {
    Version: transaction.version,
    TxIn: transaction.ins.map(({ hash, index, script, sequence, witness }) => ({
      PreviousOutPoint: { Hash: toDisplay(hash), Index: index },
      SignatureScript: base64(script),
      Witness: witness.length === 0 ? null : witness.map(base64),
      Sequence: sequence,
    })),
    TxOut: transaction.outs.map(({ value, script }) => ({ Value: Number(value), PkScript: base64(script) })),
    LockTime: transaction.locktime,
  };
}

/** The miner: what it takes from op-geth and from TBC, and what it sends (one coin for each keystone, legacy, change first). */
export interface PublicMiner {
  /** Its L2 address. */
  reward: Uint8Array;
  /** One round: publishes each of the newest 12 keystones that nobody has published; @returns the txids, and why it could not. */
  round(): Promise<{ sent: Map<string, string>; failures: string[] }>;
}

const SIZE = 284;
const DUST_SATS = 546;

export function createPublicMiner({ tbc, geth, wallet }: { tbc: TbcClient; geth: GethClient; wallet: BitcoinWallet }): PublicMiner {
  const sentBefore = new Set<string>();

  async function publish(keystone: KeystoneJson): Promise<string> {
    const { height } = await tbc.call('block-header-best-raw', {});
    const { fee_estimate: fees } = await tbc.call('fee-estimate', {});
    const estimate = fees.find(({ blocks }: { blocks: number }) => blocks === 6);
    if (estimate === undefined) throw new Error('no suitable fee estimate');
    const request = { filter_mempool: true, address: wallet.addresses.p2pkh, start: 0, count: 100 };
    const { utxos } = (await tbc.call('utxos-by-address', request)) as { utxos: Utxo[] };
    const fee = Math.floor(SIZE * estimate.sats_per_vbyte);
    const coin = utxos.find(({ value }) => value >= fee);
    if (coin === undefined) throw new Error('no utxo is large enough');
    const input = { txid: coin.tx_id, vout: coin.out_index, valueSats: BigInt(coin.value), script: wallet.scripts.p2pkh };
    const change = coin.value - fee < DUST_SATS ? [] : [{ to: wallet.scripts.p2pkh, valueSats: BigInt(coin.value - fee) }];
    const outputs = [...change, { to: encodePopScript(abbreviate(fromKeystoneJson(keystone))), valueSats: 0n }];
    // Signatures of other lengths are not paid: one in some hundred is tried again with another locktime.
    for (let locktime = height; ; locktime -= 1) {
      const made = signTransaction(buildTransaction({ inputs: [input], outputs, locktime, sequence: 0xffffffff }), [input], [wallet.secretKey]);
      const length = made.ins[0]?.script[0];
      if (length !== 0x47 && length !== 0x48) continue;
      return (await tbc.call('tx-broadcast', { tx: toGoJson(made), force: false })).tx_id;
    }
  }

  return {
    reward: addressOfKey(wallet.publicKey) as Uint8Array,
    async round() {
      const { keystones } = (await geth.call('kss_getLatestKeystones', [12])) as { keystones: KeystoneJson[] };
      const sent = new Map<string, string>();
      const failures: string[] = [];
      if (keystones.length === 0) return { sent, failures };
      const { l2_keystone_blocks: blocks } = await tbc.call('block-by-l2-abrev-hash', { l2_keystone_abrev_hashes: keystones.map(idOf) });
      for (const [i, keystone] of keystones.entries()) {
        const id = idOf(keystone);
        if (blocks[i].error === undefined || sentBefore.has(id)) continue;
        try {
          sent.set(id, await publish(keystone));
          sentBefore.add(id);
        } catch (error) {
          failures.push((error as Error).message);
        }
      }
      return { sent, failures };
    },
  };
}

interface KeystoneBlock {
  l2_keystone_abrev: { StateRoot: number[] };
  l2_keystone_block_hash: string;
  l2_keystone_block_height: number;
  error?: object;
}

/** The finality daemon: the text that it answers a question for a keystone with. */
export async function askPublicDaemon({ tbc, geth }: { tbc: TbcClient; geth: GethClient }, id: string): Promise<string> {
  let queried: KeystoneJson | undefined;
  let best: { hash: string; height: number; confirmations: number } | undefined;
  for (let current = id; ; ) {
    const { keystones, error } = (await geth.call('kss_getKeystone', [current, 10])) as { keystones: KeystoneJson[]; error?: object };
    if (error !== undefined) throw new Error('unknown keystone');
    queried ??= keystones[0];
    const asked = { l2_keystone_abrev_hashes: keystones.map(idOf) };
    const answer = await tbc.call('block-by-l2-abrev-hash', asked);
    let highest: KeystoneJson | undefined;
    for (const block of answer.l2_keystone_blocks as KeystoneBlock[]) {
      if (block.error !== undefined) continue;
      const stateRoot = toDigits(Uint8Array.from(block.l2_keystone_abrev.StateRoot));
      const keystone = keystones.find(({ state_root: root }) => root === stateRoot);
      if (keystone === undefined) throw new Error('cannot find stateroot');
      const confirmations = answer.btc_tip_block_height - block.l2_keystone_block_height;
      if (confirmations > (best?.confirmations ?? 0)) {
        best = { hash: block.l2_keystone_block_hash, height: block.l2_keystone_block_height, confirmations };
      }
      if (keystone.l2_block_number > (queried as KeystoneJson).l2_block_number) highest = keystone;
    }
    if (highest === undefined || idOf(highest) === current || (best?.confirmations ?? 0) >= 20) break;
    current = idOf(highest);
  }
  const shown = {
    l2_keystone: queried,
    block_hash: best === undefined ? '' : toDigits(fromDisplay(best.hash)),
    block_height: best?.height ?? 0,
    effective_confirmations: best?.confirmations ?? 0,
    ...(best === undefined ? {} : { super_finality: best.confirmations >= 10 }),
  };
  return `${JSON.stringify(shown)}\n`;
}
