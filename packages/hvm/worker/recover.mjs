// Recovers senders beside the main thread: n × (hash 32 ‖ r ‖ s 64 ‖ recovery id 1) in, n × (found 1 ‖ address 20) out.
// Plain JavaScript, so that it runs from the sources and from a build alike.
import { parentPort } from 'node:worker_threads';
import { createKeccak } from 'hash-wasm';
import secp256k1 from 'secp256k1';

const MESSAGE = 97;
const ANSWER = 21;
const hasher = await createKeccak(256);

parentPort?.on('message', ({ id, messages }) => {
  const count = messages.length / MESSAGE;
  const answers = new Uint8Array(count * ANSWER);
  for (let i = 0; i < count; i += 1) {
    const message = messages.subarray(i * MESSAGE, (i + 1) * MESSAGE);
    try {
      const key = secp256k1.ecdsaRecover(message.subarray(32, 96), message[96] ?? 0, message.subarray(0, 32), false);
      answers.set(hasher.init().update(key.subarray(1)).digest('binary').subarray(12), i * ANSWER + 1);
      answers[i * ANSWER] = 1;
    } catch {
      // Nobody made this signature: the main thread finds the words for it.
    }
  }
  parentPort?.postMessage({ id, answers }, [answers.buffer]);
});
