import { equal, fromBigEndian, toHex } from '@hemid/protocol';
import { createdAddress } from './created-address.ts';
import type { Message } from './message.ts';
import type { Observer, Step } from './observation.ts';
import type { Sandbox } from './sandbox.ts';
import { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';
import { accountIn, slotIn } from './step-reading.ts';

/** Addresses with the slots of each. */
export type AccessList = [address: Uint8Array, slots: Uint8Array[]][];

const MAX_ROUNDS = 16;

/** Collects what an execution touches, apart from what is warm from the start. */
function createCollector(isWarm: (address: Uint8Array) => boolean): Observer & { list(): AccessList } {
  const touched = new Map<string, { address: Uint8Array; slots: Map<string, Uint8Array> }>();

  function at(address: Uint8Array): Map<string, Uint8Array> {
    const key = toHex(address);
    const known = touched.get(key);
    if (known !== undefined) return known.slots;
    const fresh = { address, slots: new Map<string, Uint8Array>() };
    touched.set(key, fresh);
    return fresh.slots;
  }

  function touch(step: Step): void {
    const [slot, account] = [slotIn(step), accountIn(step)];
    if (slot !== undefined) at(step.address).set(toHex(slot), slot);
    if (account !== undefined && !isWarm(account)) at(account);
  }

  return {
    step: touch,
    list: () => [...touched.values()].map(({ address, slots }) => [address, [...slots.values()]]),
  };
}

const countOf = (list: AccessList): number => list.reduce((sum, [, slots]) => sum + 1 + slots.length, 0);
const MAX_PRECOMPILE = 0x1ffn;

/** The access list with which a message costs least, and what it then comes to (eth_createAccessList). */
export async function createAccessList(
  sandbox: Sandbox,
  message: Message,
  options: SimulationOptions & { nonce: bigint },
): Promise<{ accessList: AccessList; result: SimulationResult }> {
  const to = message.to ?? createdAddress(message.from, options.nonce);
  const isWarm = (address: Uint8Array): boolean =>
    equal(address, message.from) || equal(address, to) || equal(address, sandbox.header.beneficiary) || fromBigEndian(address) <= MAX_PRECOMPILE;
  let accessList: AccessList = message.accessList ?? [];
  for (let round = 0; ; round += 1) {
    const collector = createCollector(isWarm);
    const result = await simulate(sandbox, { ...message, accessList }, { ...options, watch: () => collector });
    const found = collector.list();
    if (countOf(found) === countOf(accessList) || round === MAX_ROUNDS) return { accessList: found, result };
    accessList = found;
  }
}
