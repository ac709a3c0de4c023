import { Worker } from 'node:worker_threads';
import { ANSWER_BYTES, type RecoveryAnswer, type RecoveryQuestion } from './recovery-worker.ts';
import { isRecovered, rememberHash, rememberSender } from './sender.ts';

/** Fewer than this are recovered sooner where they are needed. */
const WORTHWHILE = 4;
/** Transactions of one message to the worker. */
const PER_MESSAGE = 256;

let worker: Worker | undefined;
/** A worker takes its time to load: until then nobody waits for it. */
let isReady = false;
let next = 0;
const waiting = new Map<number, (answers: Uint8Array) => void>();

/** Without its worker the main thread recovers each sender itself. */
function giveUp(): void {
  worker = undefined;
  isReady = false;
  for (const resolve of waiting.values()) resolve(new Uint8Array());
  waiting.clear();
}

function start(): Worker {
  const started = new Worker(new URL('../worker/recover.mjs', import.meta.url), { execArgv: [] });
  started.on('message', (message: RecoveryAnswer | 'ready') => {
    if (message === 'ready') {
      isReady = true;
    } else {
      waiting.get(message.id)?.(message.answers);
      waiting.delete(message.id);
    }
    if (waiting.size === 0) started.unref();
  });
  started.on('error', giveUp);
  started.on('exit', giveUp);
  started.unref();
  return started;
}

function ask(running: Worker, raws: readonly Uint8Array[]): Promise<Uint8Array> {
  running.ref();
  next += 1;
  const question: RecoveryQuestion = { id: next, raws: new Uint8Array(Buffer.concat(raws)), lengths: raws.map(({ length }) => length) };
  const answer = new Promise<Uint8Array>((resolve) => waiting.set(question.id, resolve));
  running.postMessage(question, [question.raws.buffer]);
  return answer;
}

async function recoverSome(running: Worker, raws: readonly Uint8Array[]): Promise<void> {
  const answers = await ask(running, raws);
  for (const [i, raw] of raws.entries()) {
    const at = i * ANSWER_BYTES;
    if (at >= answers.length) return;
    const hash = answers.slice(at + 1, at + 33);
    rememberHash(raw, hash);
    if (answers[at] === 1) rememberSender(hash, answers.slice(at + 33, at + ANSWER_BYTES));
  }
}

/**
 * Hashes raw transactions and recovers their senders in a worker thread, and remembers both; decoding one of them then
 * costs little. Never throws: what cannot be recovered, and what comes before the worker is ready, is for the decoder.
 */
export async function recoverSenders(raws: readonly Uint8Array[]): Promise<void> {
  if (raws.length < WORTHWHILE) return;
  worker ??= start();
  if (!isReady) return;
  const running = worker;
  const left = raws.filter((raw) => !isRecovered(raw));
  const parts = [];
  for (let from = 0; from < left.length; from += PER_MESSAGE) parts.push(recoverSome(running, left.slice(from, from + PER_MESSAGE)));
  await Promise.all(parts);
}
