import { connect, type Socket } from 'node:net';
import { concat } from '@hemid/protocol';
import type { Clock, Logger, Service } from '@hemid/runtime';
import { fail } from './errors.ts';

export interface ZmqSubscriberOptions {
  /** e.g. `tcp://127.0.0.1:28332`, as bitcoind's `zmqpubhashblock` has it. */
  endpoint: string;
  /** e.g. `hashblock`. */
  topic: string;
}

const DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
/** Something that listens and says nothing is no publisher. */
const HANDSHAKE_MS = 5_000;
/** bitcoind's block hashes are 32 bytes; whatever is far larger is another service. */
const MAX_FRAME = 1 << 20;
const GREETING_SIZE = 64;
const FLAG_MORE = 1;
const FLAG_LONG = 2;
const FLAG_COMMAND = 4;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** ZMTP 3.0: signature, version, mechanism NULL, not a server. */
function greeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_SIZE);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.set(ascii('NULL'), 12);
  return bytes;
}

const frame = (flags: number, body: Uint8Array): Uint8Array => concat(Uint8Array.of(flags, body.length), body);

function ready(): Uint8Array {
  const name = ascii('Socket-Type');
  const value = ascii('SUB');
  return frame(FLAG_COMMAND, concat(Uint8Array.of(5), ascii('READY'), Uint8Array.of(name.length), name, Uint8Array.of(0, 0, 0, value.length), value));
}

/** Takes bytes as they come; calls back when the other side is ready, and with the first frame of every message, its topic. */
function createReader({ onReady, onTopic }: { onReady: () => void; onTopic: (topic: string) => void }): (bytes: Uint8Array) => void {
  let buffer: Uint8Array = new Uint8Array();
  let isGreeted = false;
  let isFirst = true;

  /** Takes one frame off the front. @returns whether there was a whole one. */
  function takeFrame(): boolean {
    const [flags, short] = buffer;
    if (flags === undefined || short === undefined) return false;
    const isLong = (flags & FLAG_LONG) !== 0;
    if (isLong && buffer.length < 9) return false;
    const size = isLong ? Number(new DataView(buffer.buffer, buffer.byteOffset).getBigUint64(1)) : short;
    if (size > MAX_FRAME) throw new RangeError(`a frame of ${size} bytes`);
    const start = isLong ? 9 : 2;
    if (buffer.length < start + size) return false;
    const text = new TextDecoder().decode(buffer.subarray(start, start + size));
    if ((flags & FLAG_COMMAND) !== 0) {
      if (text.startsWith('\x05READY')) onReady();
    } else {
      if (isFirst) onTopic(text);
      isFirst = (flags & FLAG_MORE) === 0;
    }
    buffer = buffer.slice(start + size);
    return true;
  }

  return (bytes) => {
    buffer = concat(buffer, bytes);
    if (!isGreeted) {
      if (buffer.length < GREETING_SIZE) return;
      if (buffer[0] !== 0xff || buffer[9] !== 0x7f || (buffer[10] ?? 0) < 3) throw new RangeError('not a ZeroMQ publisher');
      isGreeted = true;
      buffer = buffer.slice(GREETING_SIZE);
    }
    while (takeFrame());
  };
}

function addressOf(endpoint: string): { host: string; port: number } {
  const match = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[^:/[\]]+):(\d+)$/.exec(endpoint);
  if (match === null) throw fail('bitcoin/zmq', `not a ZMQ endpoint: "${endpoint}" (it looks like tcp://127.0.0.1:28332)`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(match[2]) };
}

/**
 * Hears what a bitcoind publishes over ZeroMQ, by the part of ZMTP 3.0 that a subscriber needs
 * (https://rfc.zeromq.org/spec/23/), and calls `onMessage` for each message of the topic. It connects again when the
 * connection ends, more and more slowly; messages in between are lost, so polling must go on beside it.
 *
 * @throws `bitcoin/zmq` (fatal) for an endpoint that is none.
 */
export function createZmqSubscriber(
  deps: { clock: Clock; log: Logger; onMessage: () => void },
  { endpoint, topic }: ZmqSubscriberOptions,
): Service & { isConnected(): boolean } {
  const { clock, log, onMessage } = deps;
  const address = addressOf(endpoint);
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let isConnected = false;

  /** One connection, from its start to its end. @returns why it ended. */
  async function listen(signal: AbortSignal): Promise<string> {
    const socket: Socket = connect(address);
    const abort = (): void => void socket.destroy();
    signal.addEventListener('abort', abort, { once: true });
    const read = createReader({
      // A publisher that is sent a subscription before it is ready ends the connection.
      onReady() {
        socket.write(frame(0, concat(Uint8Array.of(1), ascii(topic))));
        isConnected = true;
        socket.setTimeout(0);
        log.info({ endpoint, topic }, 'zmq connected');
      },
      onTopic(heard) {
        if (heard === topic) onMessage();
      },
    });
    let reason = 'it was closed';
    socket.setKeepAlive(true, 30_000);
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy(new Error('no ZeroMQ publisher answers')));
    socket.on('connect', () => void socket.write(concat(greeting(), ready())));
    socket.on('data', (bytes) => {
      try {
        read(new Uint8Array(bytes));
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    await new Promise<void>((resolve) => {
      socket.on('error', (error) => {
        reason = error.message;
      });
      socket.on('close', () => resolve());
    });
    signal.removeEventListener('abort', abort);
    return reason;
  }

  async function run(signal: AbortSignal): Promise<void> {
    let delayMs = DELAY_MS;
    let last = '';
    while (!signal.aborted) {
      const reason = await listen(signal);
      if (signal.aborted) return;
      if (isConnected) delayMs = DELAY_MS;
      if (isConnected || reason !== last) log.warn({ endpoint, reason }, 'zmq is not connected: blocks are found by polling');
      last = reason;
      isConnected = false;
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
    }
  }

  return {
    name: 'bitcoin-zmq',
    isConnected: () => isConnected,
    start(signal) {
      running = run(AbortSignal.any([signal, stopped.signal]));
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
