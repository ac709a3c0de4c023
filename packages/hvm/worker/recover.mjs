// Boots recovery-worker.ts in a worker thread: Node 20 takes no TypeScript as the entry of one.
import { parentPort } from 'node:worker_threads';

// In the bundle of a program (scripts/program.mjs) the sources are JavaScript already.
if (import.meta.url.endsWith('/worker/recover.mjs')) (await import('tsx/esm/api')).register();
const { serveRecovery } = await import('../src/recovery-worker.ts');
serveRecovery(parentPort);
