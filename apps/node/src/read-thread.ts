import { Worker } from 'node:worker_threads';
import { HemidError } from '@hemid/protocol';
import type { WireText } from '@hemid/rpc';
import { type Clock, type Logger, nextTurn } from '@hemid/runtime';
import { createEndLock, type EndLock, mayEnd } from './end-lock.ts';
import { fail } from './errors.ts';
import type { ReadAnswer, ReadFailure, ReadQuestion, ReadSetup } from './read-worker.ts';

/** What reading threads do. */
export interface ReadCounts {
  /** Calls that they work on or that wait for one. */
  calls: number;
  /** Calls that they answered, with an error or without. */
  answered: number;
  /** How often a thread crashed, or was ended because it went on for nobody. */
  lost: number;
}

/** One worker thread that reads the chain, started when it is asked first, and again after it ended. */
export interface ReadThread {
  counts(): ReadCounts;
  /** @returns the result as it is sent; rejects with what the method throws, or `node/read-lost`. */
  run(question: Pick<ReadQuestion, 'call' | 'labels'>, isOver: () => boolean): Promise<WireText>;
  /** Ends the thread and gives up its calls. */
  stop(): Promise<void>;
}

/** Calls that one thread works on at once, in turns; further ones wait. */
const AT_WORK = 16;
/** How often it is looked for calls that nobody waits for. */
const TICK_MS = 100;
/** What a call has to end by itself once nobody waits for it. */
const GRACE_MS = 3_000;
/** Threads that may end under a call before it is given up: it may be the reason. */
const LIVES = 2;
const UNWANTED = 'nobody waits for this call any more';

/** A thread that runs. */
interface Running {
  thread: Worker;
  lock: EndLock;
}

interface Waiting {
  question: ReadQuestion;
  isOver(): boolean;
  isAsked: boolean;
  lives: number;
  /** Since when nobody waits for it. */
  overMs?: number;
  resolve(text: WireText): void;
  reject(error: unknown): void;
}

function toError(failure: ReadFailure): Error {
  if ('fault' in failure) return new Error(`a reading thread failed: ${failure.fault}`);
  const { code, severity, message, details } = failure;
  return new HemidError(code, severity, message, { details });
}

/** Creates a {@link ReadThread}. */
export function createReadThread({ clock, log }: { clock: Clock; log: Logger }, setup: Omit<ReadSetup, 'lock'>): ReadThread {
  const calls = new Map<number, Waiting>();
  let worker: Running | undefined;
  let isStopped = false;
  let isWatching = false;
  let next = 0;
  let answered = 0;
  let lost = 0;

  function giveUp(call: Waiting, why: string): void {
    calls.delete(call.question.id);
    call.reject(fail('node/read-lost', why));
  }

  function take(answer: ReadAnswer): void {
    const call = calls.get(answer.id);
    calls.delete(answer.id);
    answered += 1;
    if ('json' in answer) call?.resolve(typeof answer.json === 'string' ? answer.json : [Buffer.from(answer.json.buffer)]);
    else call?.reject(toError(answer.failure));
    askMore();
  }

  function onExit(ended: Worker): void {
    if (worker?.thread !== ended) return;
    worker = undefined;
    lost += 1;
    log.warn({ calls: calls.size }, 'reading thread ended');
    for (const call of [...calls.values()].filter(({ isAsked }) => isAsked)) {
      call.isAsked = false;
      call.lives -= 1;
      if (call.isOver()) giveUp(call, UNWANTED);
      else if (call.lives === 0) giveUp(call, 'the thread that read for this call ended, twice: ask again later, or for less at once');
    }
    askMore();
  }

  function start(): Running {
    const lock = createEndLock();
    const workerData: ReadSetup = { ...setup, lock };
    const thread = new Worker(new URL('../worker/read.mjs', import.meta.url), { execArgv: ['--conditions=@hemid/source'], workerData });
    thread.on('message', take);
    thread.on('error', (err) => log.error({ err }, 'reading thread failed'));
    thread.on('exit', () => onExit(thread));
    return { thread, lock };
  }

  /** @returns whether it could be ended now. */
  async function end({ thread, lock }: Running): Promise<boolean> {
    if (!mayEnd(lock)) return false;
    await thread.terminate();
    return true;
  }

  function askMore(): void {
    let room = AT_WORK - [...calls.values()].filter(({ isAsked }) => isAsked).length;
    for (const call of calls.values()) {
      if (room === 0) break;
      if (call.isAsked) continue;
      worker ??= start();
      worker.thread.postMessage(call.question);
      call.isAsked = true;
      room -= 1;
    }
    // It does not keep a process that has nothing else to do.
    if (calls.size === 0) worker?.thread.unref();
    else worker?.thread.ref();
  }

  /** Tells the thread what nobody waits for any more, and ends it when it does not listen. */
  function lookForOver(): void {
    for (const call of calls.values()) {
      if (!call.isOver()) continue;
      if (!call.isAsked) giveUp(call, UNWANTED);
      else Atomics.store(call.question.over, 0, 1);
      call.overMs ??= clock.now();
      if (call.isAsked && clock.now() - call.overMs >= GRACE_MS && worker !== undefined) void end(worker);
    }
  }

  async function watch(): Promise<void> {
    isWatching = true;
    while (calls.size > 0) {
      await clock.sleep(TICK_MS);
      lookForOver();
    }
    isWatching = false;
  }

  return {
    counts: () => ({ calls: calls.size, answered, lost }),
    run({ call, labels }, isOver) {
      if (isStopped) return Promise.reject(fail('node/read-lost', 'the node stops'));
      if (isOver()) return Promise.reject(fail('node/read-lost', UNWANTED));
      next += 1;
      const question = { id: next, call, labels, over: new Int32Array(new SharedArrayBuffer(4)) };
      return new Promise((resolve, reject) => {
        calls.set(question.id, { question, isOver, isAsked: false, lives: LIVES, resolve, reject });
        askMore();
        if (!isWatching) void watch();
      });
    },
    async stop() {
      isStopped = true;
      const ending = worker;
      worker = undefined;
      for (const call of [...calls.values()]) giveUp(call, 'the node stops');
      while (ending !== undefined && !(await end(ending))) await nextTurn();
    },
  };
}
