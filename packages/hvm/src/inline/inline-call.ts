import { Account } from '@ethereumjs/util';
import type { L2Header } from '@hemid/protocol';
import type { Message } from '../message.ts';
import type { SimulationResult } from '../simulation.ts';
import { accountKey, latin } from '../state/key.ts';
import { openReadState } from '../state/read-state.ts';
import type { StateSource } from '../state/source.ts';
import { gasOfData } from '../user-transaction.ts';
import { enterableCode, runCode } from './call.ts';
import { beginTransaction, createMachine, type InlineContext } from './inline-transaction.ts';
import { FOREIGN_OPCODE } from './machine.ts';

/** Where a call is tried out. */
export interface InlineCallPlace extends Pick<InlineContext, 'common' | 'isPrecompile' | 'hotAt'> {
  source: StateSource;
  header: L2Header;
  /** Gas that the message may take; what it asks for itself is not looked at. */
  gasLimit: bigint;
}

/** Whether a message is of a form that is run here: a call that pays nothing for its gas. */
const isPlain = ({ to, gasPrice = 0n, accessList, authorizations, blobs }: Message): boolean =>
  to !== undefined && gasPrice === 0n && accessList === undefined && authorizations === undefined && blobs === undefined;

/**
 * Tries a message out in one synchronous go, to the same result as in @ethereumjs/vm, for which a VM is made first.
 *
 * @returns `undefined` for a message that is left to that one: it wants more, fails in another way than by REVERT, or
 * meets a state that does not answer at once.
 */
export function callInline(message: Message, place: InlineCallPlace): SimulationResult | undefined {
  const { source, common, isPrecompile, hotAt } = place;
  if (common.hardfork() !== 'osaka' || message.to === undefined || !isPlain(message)) return undefined;
  const [sender, recipient, coinbase] = [latin(message.from), latin(message.to), latin(place.header.beneficiary)];
  if (isPrecompile(recipient) || source.read(accountKey(recipient)) instanceof Promise) return undefined;
  const gas = gasOfData(message.data);
  const limit = Number(place.gasLimit);
  if (limit < Math.max(gas.intrinsic, gas.floor)) return undefined;

  const { header } = place;
  const state = openReadState(source);
  // A transaction raises the nonce first: its sender is there, whoever it is.
  const { nonce, balance, storageRoot, codeHash } = state.accountAt(sender) ?? new Account();
  state.setAccountAt(sender, new Account(nonce + 1n, balance, storageRoot, codeHash));
  if (balance < message.value) return undefined;
  const { timestamp, number, gasLimit } = header;
  const block = { timestamp, number, gasLimit, coinbase: header.beneficiary, prevRandao: header.mixHash, baseFeePerGas: 0n };
  const machine = createMachine({ state, common, block, isPrecompile, hotAt });
  const { state: changes } = machine;
  beginTransaction(machine, { sender, gasPrice: 0n, warm: [sender, recipient, coinbase] });
  if (message.value > 0n) changes.move(sender, recipient, message.value);
  try {
    const code = enterableCode(changes.account(recipient), changes.code(recipient));
    if (code.length === 0) return undefined;
    const { origin: caller } = machine.environment;
    const frame = {
      address: recipient,
      code,
      caller,
      value: message.value,
      data: message.data,
      isStatic: false,
      depth: 0,
      gas: limit - gas.intrinsic,
    };
    const ended = runCode(frame, machine);
    if (ended.outcome === 'halted') return undefined;
    const reverted = ended.outcome === 'reverted';
    const spent = limit - ended.frame.gas;
    const refund = reverted ? 0 : Math.min(changes.refund, Math.floor(spent / 5));
    return {
      succeeded: !reverted,
      reverted,
      error: reverted ? 'revert' : undefined,
      output: ended.frame.output,
      gasUsed: BigInt(Math.max(spent - refund, gas.floor)),
      logs: reverted ? [] : changes.logs,
    };
  } catch (error) {
    if (error === FOREIGN_OPCODE) return undefined;
    throw error;
  }
}
