import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Beginning, BlockPlan, BlockResult } from './engine.ts';

/** The stock engine, in a process of its own: the node's interpreter replaces that of a whole process. */
export interface Stock {
  /** Executes a block on the one before it. Several may be on their way. */
  block(plan: BlockPlan): Promise<BlockResult>;
  close(): Promise<void>;
}

/** Starts the stock engine on a beginning. */
export function startStock(beginning: Beginning): Stock {
  const entry = fileURLToPath(new URL('./stock-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', entry], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const waiting: { resolve: (result: BlockResult) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line) as BlockResult));
  const ended = once(child, 'exit').then(([code]) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`the stock engine ended (${code})`));
  });
  const send = (message: Beginning | BlockPlan): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  send(beginning);
  return {
    block(plan) {
      send(plan);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
