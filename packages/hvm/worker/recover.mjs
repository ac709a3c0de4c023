// Boots recovery-worker.ts in a worker thread: Node 20 takes no TypeScript as the entry of one.
import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { serveRecovery } = await import('../src/recovery-worker.ts');
serveRecovery(parentPort);
