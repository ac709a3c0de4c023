import type { MessagePort } from 'node:worker_threads';
import secp256k1 from 'secp256k1';
import { signedMessage } from './signed-message.ts';
import { keccak } from './state/keccak.ts';

/** Raw transactions, one behind the other. */
export interface RecoveryQuestion {
  id: number;
  raws: Uint8Array<ArrayBuffer>;
  lengths: number[];
}

/** Of each transaction: whether the sender was found 1 ‖ hash 32 ‖ address 20. */
export const ANSWER_BYTES = 53;

export interface RecoveryAnswer {
  id: number;
  answers: Uint8Array<ArrayBuffer>;
}

function writeAnswer(raw: Uint8Array, answer: Uint8Array): void {
  answer.set(keccak(raw), 1);
  const message = signedMessage(raw);
  if (message === undefined) return;
  try {
    const key = secp256k1.ecdsaRecover(message.signature, message.recovery, message.hash, false);
    answer.set(keccak(key.subarray(1)).subarray(12), 33);
    answer[0] = 1;
  } catch {
    // Nobody made this signature: the main thread finds the words for it.
  }
}

/** Says `ready`, then answers {@link RecoveryQuestion}s beside the main thread. */
export function serveRecovery(port: MessagePort): void {
  port.on('message', ({ id, raws, lengths }: RecoveryQuestion) => {
    const answers = new Uint8Array(lengths.length * ANSWER_BYTES);
    let from = 0;
    for (const [i, length] of lengths.entries()) {
      writeAnswer(raws.subarray(from, from + length), answers.subarray(i * ANSWER_BYTES, (i + 1) * ANSWER_BYTES));
      from += length;
    }
    const answer: RecoveryAnswer = { id, answers };
    port.postMessage(answer, [answers.buffer]);
  });
  port.postMessage('ready');
}
