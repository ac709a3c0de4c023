import { equal, fromBigEndian, toBigEndian, toHex } from '@hemid/protocol';
import { createdAddress } from './created-address.ts';
import type { Message } from './message.ts';
import type { Observer, Step } from './observation.ts';
import type { Sandbox } from './sandbox.ts';
import { type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';

/** Addresses with the slots of each. */
export type AccessList = [address: Uint8Array, slots: Uint8Array[]][];

const MAX_ROUNDS = 16;
const SLOT_OPCODES = new Set([0x54, 0x55]);
/** Opcodes that name an account, and how far below the top of the stack it stands. */
const ACCOUNT_OPCODES = new Map([
  [0x31, 0],
  [0x3b, 0],
  [0x3c, 0],
  [0x3f, 0],
  [0xff, 0],
  [0xf1, 1],
  [0xf2, 1],
  [0xf4, 1],
  [0xfa, 1],
]);

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

  function touch({ opcode, stack, address }: Step): void {
    const top = stack.at(-1);
    if (SLOT_OPCODES.has(opcode) && top !== undefined) {
      const slot = toBigEndian(top, 32);
      at(address).set(toHex(slot), slot);
    }
    const named = stack.at(-1 - (ACCOUNT_OPCODES.get(opcode) ?? stack.length));
    if (named === undefined) return;
    const account = toBigEndian(named & ((1n << 160n) - 1n), 20);
    if (!isWarm(account)) at(account);
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
