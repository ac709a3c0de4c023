import { writeFileSync, rmSync } from 'node:fs';
import { openRegtest } from '@hemid/bitcoin';
import { silentLogger } from '@hemid/runtime';
import { createManualClock, startBitcoind } from '@hemid/testkit';
import { runConformance } from './regtest-conformance.ts';
const which = process.argv[2];
const out = (l: unknown[]) => writeFileSync(`/tmp/bd/${which}.json`, l.map((x) => JSON.stringify(x, null, 1)).join('\n'));
let t = Date.now();
if (which === 'real') {
  const b = await startBitcoind({ args: ['-txindex=0'] });
  try { out(await runConformance({ rpc: b.rpc, setTime: async (s) => void (await b.rpc('setmocktime', [s])) })); } finally { await b.stop(); }
} else {
  rmSync('/tmp/bd/edb', { recursive: true, force: true });
  const clock = createManualClock(0);
  const r = await openRegtest({ directory: '/tmp/bd/edb', clock, log: silentLogger });
  try { out(await runConformance({ rpc: r.rpc, setTime: (s) => clock.advance(s * 1000 - clock.now()) })); } finally { await r.close(); }
}
console.log(which, Date.now() - t, 'ms');
