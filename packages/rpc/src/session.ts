import type { Random } from '@hemid/runtime';
import { fail } from './errors.ts';
import { createId } from './random-id.ts';
import { toText } from './wire.ts';

/** Begins a subscription that gives its results to `notify`; @returns what ends it. */
export type Start = (notify: (result: unknown) => void) => () => void;

/** The subscriptions of one connection, as a method sees them. */
export interface Session {
  /** @returns the id; @throws `rpc/limit` when there are too many. */
  open(namespace: string, start: Start): string;
  /** Whether there was such a subscription. */
  close(id: string): boolean;
}

/** One message of a connection: what it subscribes to stays silent until its answer was sent. */
export interface Turn extends Session {
  end(): void;
}

/** All subscriptions of one connection. */
export interface SessionGroup {
  begin(): Turn;
  closeAll(): void;
}

const MAX_SUBSCRIPTIONS = 512;

/** Creates the subscriptions of a connection; notifications go to `send` as JSON text. */
export function createSessionGroup(random: Random, send: (text: string) => void): SessionGroup {
  const subscriptions = new Map<string, () => void>();

  function close(id: string): boolean {
    subscriptions.get(id)?.();
    return subscriptions.delete(id);
  }

  function begin(): Turn {
    let held: string[] | undefined = [];
    const deliver = (text: string): void => {
      if (held === undefined) send(text);
      else held.push(text);
    };
    return {
      close,
      open(namespace, start) {
        if (subscriptions.size >= MAX_SUBSCRIPTIONS) throw fail('rpc/limit', `too many subscriptions: a connection has at most ${MAX_SUBSCRIPTIONS}`);
        const id = createId(random);
        const notify = (result: unknown): void =>
          deliver(`{"jsonrpc":"2.0","method":"${namespace}_subscription","params":{"subscription":"${id}","result":${toText(result)}}}`);
        subscriptions.set(id, start(notify));
        return id;
      },
      end() {
        const texts = held ?? [];
        held = undefined;
        for (const text of texts) send(text);
      },
    };
  }

  return {
    begin,
    closeAll() {
      for (const id of [...subscriptions.keys()]) close(id);
    },
  };
}
