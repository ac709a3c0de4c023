import { connect, type Socket } from 'node:net';

/* Asks over and over on keep-alive connections: one loop, requests made beforehand, of answers only the length is read. */

export interface Measure {
  perS: number;
  p99Ms: number;
  /** Bytes of the last answer. */
  bytes: number;
}

/** The requests of one method as they go over the wire. */
export function toRequests(url: string, method: string, params: readonly unknown[][]): Buffer[] {
  const { host } = new URL(url);
  return params.map((one) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: one });
    return Buffer.from(
      `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Calls `done` with the length of each whole answer. */
function readAnswers(socket: Socket, done: (bytes: number) => void): void {
  let left = 0;
  let length = 0;
  let head: Buffer = Buffer.alloc(0);
  socket.on('data', (part) => {
    let rest: Buffer = part;
    if (left === 0) {
      head = head.length === 0 ? rest : Buffer.concat([head, rest]);
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      const size = /^content-length: (\d+)$/im.exec(text)?.[1];
      if (!text.startsWith('HTTP/1.1 200') || size === undefined) throw new Error(`not an answer with a length: ${text}`);
      length = Number(size);
      rest = head.subarray(end + END_OF_HEAD.length);
      head = Buffer.alloc(0);
      left = length;
    }
    left -= rest.length;
    if (left === 0) done(length);
  });
}

/** Asks on `connections` at once for `ms` milliseconds. */
export async function measure(url: string, requests: readonly Buffer[], { connections, ms }: { connections: number; ms: number }): Promise<Measure> {
  const { hostname, port } = new URL(url);
  const times: number[] = [];
  const untilMs = performance.now() + ms;
  const startedMs = performance.now();
  let next = 0;
  let bytes = 0;
  const lanes = Array.from({ length: connections }, async () => {
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      let sentMs = 0;
      const send = (): void => {
        next += 1;
        sentMs = performance.now();
        socket.write(requests[next % requests.length] as Buffer);
      };
      socket.on('error', reject);
      socket.on('connect', send);
      readAnswers(socket, (length) => {
        const nowMs = performance.now();
        times.push(nowMs - sentMs);
        bytes = length;
        if (nowMs < untilMs) send();
        else resolve();
      });
    });
    socket.destroy();
  });
  await Promise.all(lanes);
  const tookMs = performance.now() - startedMs;
  times.sort((a, b) => a - b);
  return { perS: (times.length * 1000) / tookMs, p99Ms: times[Math.floor(times.length * 0.99)] ?? 0, bytes };
}
