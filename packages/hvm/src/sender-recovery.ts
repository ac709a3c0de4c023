import { Worker } from 'node:worker_threads';
import { knownSender, rememberSender, signedMessage } from './sender.ts';
import { keccak } from './state/keccak.ts';

const MESSAGE = 97;
const ANSWER = 21;
/** Fewer than this are recovered sooner where they are needed. */
const WORTHWHILE = 4;
/** Signatures of one message to the worker. */
const PER_MESSAGE = 256;

let worker: Worker | undefined;
let next = 0;
const waiting = new Map<number, (answers: Uint8Array) => void>();

/** Without its worker the main thread recovers each sender itself. */
function giveUp(): void {
  worker = undefined;
  for (const resolve of waiting.values()) resolve(new Uint8Array());
  waiting.clear();
}

function start(): Worker {
  const started = new Worker(new URL('../worker/recover.mjs', import.meta.url), { execArgv: [] });
  started.on('message', ({ id, answers }: { id: number; answers: Uint8Array }) => {
    waiting.get(id)?.(answers);
    waiting.delete(id);
    if (waiting.size === 0) started.unref();
  });
  started.on('error', giveUp);
  started.on('exit', giveUp);
  return started;
}

function ask(messages: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  worker ??= start();
  worker.ref();
  next += 1;
  const id = next;
  const answer = new Promise<Uint8Array>((resolve) => waiting.set(id, resolve));
  worker.postMessage({ id, messages }, [messages.buffer]);
  return answer;
}

async function recoverSome(batch: { hash: Uint8Array; message: NonNullable<ReturnType<typeof signedMessage>> }[]): Promise<void> {
  const messages = new Uint8Array(batch.length * MESSAGE);
  for (const [i, { message }] of batch.entries()) {
    messages.set(message.hash, i * MESSAGE);
    messages.set(message.signature, i * MESSAGE + 32);
    messages[i * MESSAGE + 96] = message.recovery;
  }
  const answers = await ask(messages);
  for (const [i, { hash }] of batch.entries()) {
    if (answers[i * ANSWER] === 1) rememberSender(hash, answers.slice(i * ANSWER + 1, (i + 1) * ANSWER));
  }
}

/**
 * Recovers the senders of raw transactions in a worker thread and remembers them; decoding one of them then costs
 * little. Never throws: what cannot be recovered is for the decoder to refuse.
 */
export async function recoverSenders(raws: readonly Uint8Array[]): Promise<void> {
  if (raws.length < WORTHWHILE) return;
  const batch = [];
  for (const raw of raws) {
    const hash = keccak(raw);
    const message = knownSender(hash) === undefined ? signedMessage(raw) : undefined;
    if (message !== undefined) batch.push({ hash, message });
  }
  const parts = [];
  for (let from = 0; from < batch.length; from += PER_MESSAGE) parts.push(recoverSome(batch.slice(from, from + PER_MESSAGE)));
  await Promise.all(parts);
}
