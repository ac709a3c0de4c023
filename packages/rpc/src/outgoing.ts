import { setImmediate as atEndOfTurn } from 'node:timers';

let outgoing: (() => void)[] = [];

function sendAll(): void {
  const all = outgoing;
  outgoing = [];
  for (const send of all) send();
}

/**
 * Sends when all calls that the loop takes in this turn are answered: to wake a client costs as much as to answer it, and
 * of those that wait together only the first has to be woken.
 *
 * @returns when it was sent; rejected with what `send` throws.
 */
export function sendTogether(send: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = outgoing.push(() => {
      try {
        send();
        resolve();
      } catch (error) {
        reject(error);
      }
    });
    if (length === 1) atEndOfTurn(sendAll);
  });
}
