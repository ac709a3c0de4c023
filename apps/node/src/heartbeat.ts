import type { PopMinerStatus } from '@hemid/pop-miner';
import { isSystemEnvelope, toHex } from '@hemid/protocol';
import type { Service } from '@hemid/runtime';
import type { Node } from './node.ts';

export interface HeartbeatDeps {
  node: Node;
  /** Wall time of the line, e.g. `12:00:02`. */
  time: () => string;
  miner: () => PopMinerStatus;
  write: (line: string) => void;
}

const short = (text: string): string => `${text.slice(0, 8)}…${text.slice(-4)}`;

/** "2 tx" and what the block carries besides. */
function contents(transactions: readonly Uint8Array[]): string {
  const user = transactions.filter((raw) => !isSystemEnvelope(raw)).length;
  const count = (type: number): number => transactions.filter((raw) => raw[0] === type).length;
  const extra = [
    [count(0x7c), 'btc headers'],
    [count(0x7d), 'payout'],
    [count(0x7e), 'tunnel'],
    [count(0x7f), 'development'],
  ].flatMap(([n, name]) => (n === 0 ? [] : [n === 1 ? `${name}` : `${n} ${name}`]));
  return [`${user} tx`, ...extra].join(' + ');
}

function publicationText({ lastPublication, trouble }: PopMinerStatus): string {
  if (trouble !== undefined) return `pop: ${trouble}`;
  if (lastPublication === undefined) return 'pop -';
  const { keystoneNumber, txid, state, confirmations } = lastPublication;
  return `pop keystone ${keystoneNumber} in ${short(txid)} ${state === 'mempool' ? 'mempool' : `${confirmations} conf`}`;
}

/** One line for each new head: what it is, how far the chain is anchored, and the last publication. */
export function createHeartbeat({ node, time, miner, write }: HeartbeatDeps): Service {
  let unsubscribe: (() => void) | undefined;
  let last = '';
  function beat(): void {
    const { chain, headers } = node;
    const { header, hash } = chain.head('latest');
    if (toHex(hash) === last) return;
    last = toHex(hash);
    const heads = `unsafe ${header.number} safe ${chain.head('safe').header.number} finalized ${chain.head('finalized').header.number}`;
    const transactions = chain.block(hash)?.block.transactions ?? [];
    write(
      `${time()} L2 #${header.number} ${short(last)}  ${contents(transactions)}  ${heads}  btc ${headers.best().height}  ${publicationText(miner())}`,
    );
  }
  return {
    name: 'heartbeat',
    start() {
      unsubscribe = node.chain.onHead(beat);
    },
    stop() {
      unsubscribe?.();
    },
  };
}
