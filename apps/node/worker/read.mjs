// Boots read-worker.ts in a worker thread: Node 20 takes no TypeScript as the entry of one.
import { parentPort, workerData } from 'node:worker_threads';

// In the bundle of a program (scripts/program.mjs) the sources are JavaScript already.
if (import.meta.url.endsWith('/worker/read.mjs')) (await import('tsx/esm/api')).register();
const { serveReads } = await import('../src/read-worker.ts');
await serveReads(parentPort, workerData);
