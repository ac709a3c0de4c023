import WebSocket from 'ws';
import { it } from 'vitest';
import { appendFileSync } from 'node:fs';
import { openFixture } from './fixture.ts';
const t0 = performance.now();
const log = (...a: unknown[]) => appendFileSync('/tmp/rpc-dbg.log', `${Math.round(performance.now() - t0)} ${a.join(' ')}\n`);
it('x', async () => {
  const f = await openFixture();
  Object.assign(f.deps.status, { clientVersion: 'x'.repeat(4_000_000) });
  const socket = new WebSocket(f.server.url().replace('http', 'ws'));
  socket.on('error', (e) => log('err', e.message));
  socket.on('close', (c) => log('close', c));
  await new Promise((r) => socket.on('open', r));
  const s = (socket as any)._socket;
  for (const e of ['error', 'end', 'close', 'timeout']) s.on(e, (x: unknown) => log('client', e, x));
  const d = s.destroy.bind(s); s.destroy = (...a: unknown[]) => { log('client destroy', new Error().stack); return d(...a); };
  socket.pause();
  for (let i = 0; i < 12; i += 1) socket.send(`{"jsonrpc":"2.0","id":${i},"method":"web3_clientVersion"}`);
  for (let i = 0; i < 120; i += 1) { if (process.env.PING) socket.ping(); await new Promise((r) => setTimeout(r, 50)); }
  log('closing');
  await f.close();
});
