import { accountIn, createdAddress, type Frame, readAccount, readCode, readSlot, type Step, slotIn } from '@hemid/hvm';
import { equal, fromHex, toHex } from '@hemid/protocol';
import type { Traced, TracerFactory } from './tracer.ts';

interface Snapshot {
  balance: bigint;
  nonce: bigint;
  code: Uint8Array;
  /** By slot, as far as it was touched. */
  storage: Map<string, Uint8Array>;
}

const ZERO = toHex(new Uint8Array(32));

async function snapshot(state: Traced['state'], address: Uint8Array): Promise<Snapshot> {
  const { nonce, balance } = (await readAccount(state, address)) ?? { nonce: 0n, balance: 0n };
  return { nonce, balance, code: await readCode(state, address), storage: new Map() };
}

const isEmpty = ({ nonce, balance, code }: Snapshot): boolean => nonce === 0n && balance === 0n && code.length === 0;

interface Shown {
  balance?: bigint;
  nonce?: number;
  code?: Uint8Array;
  storage?: Record<string, Uint8Array>;
}

function show({ balance, nonce, code, storage }: Snapshot): Shown {
  return {
    balance,
    ...(nonce === 0n ? {} : { nonce: Number(nonce) }),
    ...(code.length === 0 ? {} : { code }),
    ...(storage.size === 0 ? {} : { storage: Object.fromEntries(storage) }),
  };
}

/** What of an account is different afterwards; `undefined` when nothing is. */
function changes(before: Snapshot, after: Snapshot): Shown | undefined {
  const storage = [...after.storage].filter(([slot, value]) => !equal(value, before.storage.get(slot) ?? new Uint8Array(32)));
  const kept = storage.filter(([, value]) => toHex(value) !== ZERO);
  const shown: Shown = {
    ...(before.balance === after.balance ? {} : { balance: after.balance }),
    ...(before.nonce === after.nonce ? {} : { nonce: Number(after.nonce) }),
    ...(equal(before.code, after.code) ? {} : { code: after.code }),
    ...(kept.length === 0 ? {} : { storage: Object.fromEntries(kept) }),
  };
  return Object.keys(shown).length === 0 && storage.length === 0 ? undefined : shown;
}

/** The accounts that a transaction touches as they were before it, and with `diffMode` what it made of them (`prestateTracer`). */
export const prestateTracer: TracerFactory = async (traced, { tracerConfig }) => {
  const { state } = traced;
  const accounts = new Map<string, Snapshot>();

  async function touch(address: Uint8Array): Promise<Snapshot> {
    const key = toHex(address);
    const known = accounts.get(key) ?? (await snapshot(state, address));
    accounts.set(key, known);
    return known;
  }

  async function step(at: Step): Promise<void> {
    const [slot, account] = [slotIn(at), accountIn(at)];
    if (slot !== undefined) {
      const { storage } = await touch(at.address);
      if (!storage.has(toHex(slot))) storage.set(toHex(slot), await readSlot(state, at.address, slot));
    }
    if (account !== undefined) await touch(account);
  }

  /** Of a creation, the address is known only at its end, when it is too late: what was there before had no code and no nonce. */
  const created = new Set<string>();

  async function enter({ to }: Frame): Promise<void> {
    if (to !== undefined) await touch(to);
  }

  async function after(): Promise<Map<string, Snapshot>> {
    const found = new Map<string, Snapshot>();
    for (const [key, before] of accounts) {
      const now = await snapshot(state, fromHex(key));
      for (const slot of before.storage.keys()) now.storage.set(slot, await readSlot(state, fromHex(key), fromHex(slot)));
      found.set(key, now);
    }
    return found;
  }

  async function diff(): Promise<object> {
    const [pre, post]: [Record<string, Shown>, Record<string, Shown>] = [{}, {}];
    for (const [key, now] of await after()) {
      const before = accounts.get(key) ?? now;
      const changed = changes(before, now);
      if (changed === undefined) continue;
      if (!isEmpty(before)) pre[key] = show(before);
      if (!isEmpty(now)) post[key] = changed;
    }
    return { pre, post };
  }

  await touch(traced.from);
  const nonce = (await readAccount(state, traced.from))?.nonce ?? 0n;
  await touch(traced.to ?? createdAddress(traced.from, nonce));
  await touch(traced.block.header.beneficiary);
  return {
    observer: {
      step,
      enter,
      exit({ created: address }) {
        if (address === undefined || accounts.has(toHex(address))) return;
        created.add(toHex(address));
        accounts.set(toHex(address), { nonce: 0n, balance: 0n, code: new Uint8Array(), storage: new Map() });
      },
    },
    async result() {
      if (tracerConfig['diffMode'] === true) return diff();
      return Object.fromEntries([...accounts].filter(([key, one]) => !isEmpty(one) && !created.has(key)).map(([key, one]) => [key, show(one)]));
    },
  };
};
