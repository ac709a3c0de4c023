import type { EVMResult, Message as EvmMessage, InterpreterStep } from '@ethereumjs/evm';
import type { VM } from '@ethereumjs/vm';

/** An opcode that is about to run. */
export interface Step {
  pc: number;
  name: string;
  opcode: number;
  /** Left before it runs. */
  gas: bigint;
  /** Its whole cost, without what it hands on to a call. */
  cost: bigint;
  refund: bigint;
  /** 1 for the transaction's own frame. */
  depth: number;
  /** The top comes last. */
  stack: readonly bigint[];
  readonly memory: Uint8Array;
  /** Whose storage it works on. */
  address: Uint8Array;
}

/** How a frame came to be. */
export type FrameKind = 'CALL' | 'CALLCODE' | 'DELEGATECALL' | 'STATICCALL' | 'CREATE' | 'CREATE2';

/** A call or creation that begins. */
export interface Frame {
  kind: FrameKind;
  depth: number;
  from: Uint8Array;
  /** Whose code runs; `undefined` for a creation. */
  to: Uint8Array | undefined;
  value: bigint;
  gas: bigint;
  input: Uint8Array;
}

/** How a frame ended. */
export interface FrameResult {
  /** In the EVM's words. */
  error: string | undefined;
  output: Uint8Array;
  gasUsed: bigint;
  /** Address of a new contract. */
  created: Uint8Array | undefined;
}

/** Watches what the EVM does; it waits for what is returned. */
export interface Observer {
  step?(step: Step): Promise<void> | void;
  enter?(frame: Frame): Promise<void> | void;
  exit?(result: FrameResult): Promise<void> | void;
}

const KINDS: Record<number, FrameKind> = {
  240: 'CREATE',
  241: 'CALL',
  242: 'CALLCODE',
  244: 'DELEGATECALL',
  245: 'CREATE2',
  250: 'STATICCALL',
};

function toStep(event: InterpreterStep): Step {
  const { opcode } = event;
  return {
    pc: event.pc,
    name: opcode.name,
    opcode: opcode.code,
    gas: event.gasLeft,
    cost: opcode.dynamicFee ?? BigInt(opcode.fee),
    refund: event.gasRefund,
    depth: event.depth + 1,
    stack: event.stack,
    // Copied by those who look at it.
    get memory() {
      return event.memory;
    },
    address: event.address.bytes,
  };
}

/**
 * Lets `observer` watch an EVM, which then runs step by step, slowly; what it throws ends the execution.
 *
 * @returns what ends it, and throws what the observer threw.
 */
export function observe(vm: VM, observer: Observer): () => void {
  const { events } = vm.evm;
  if (events === undefined) throw new RangeError('this EVM tells nothing');
  let lastOpcode = 0;
  let failure: { error: unknown } | undefined;

  async function step(event: InterpreterStep): Promise<void> {
    lastOpcode = event.opcode.code;
    await observer.step?.(toStep(event));
  }

  async function enter(message: EvmMessage): Promise<void> {
    const top = message.to === undefined ? 'CREATE' : 'CALL';
    await observer.enter?.({
      kind: message.depth === 0 ? top : (KINDS[lastOpcode] ?? top),
      depth: message.depth,
      from: message.caller.bytes,
      to: message.to === undefined ? undefined : message.codeAddress.bytes,
      value: message.value,
      gas: message.gasLimit,
      input: message.data,
    });
  }

  async function exit({ execResult, createdAddress }: EVMResult): Promise<void> {
    await observer.exit?.({
      error: execResult.exceptionError?.error as string | undefined,
      output: execResult.returnValue,
      gasUsed: execResult.executionGasUsed,
      created: createdAddress?.bytes,
    });
  }

  /** The emitter waits for a listener that takes a second argument, but hears of no failure of it. */
  function waited<T>(handle: (event: T) => Promise<void>): (event: T, done?: () => void) => void {
    return (event, done) => {
      const fails = (error: unknown): void => {
        failure ??= { error };
        done?.();
      };
      if (failure === undefined) handle(event).then(done, fails);
      else done?.();
    };
  }

  /** What a listener of one argument throws ends the execution. */
  function stopIfFailed(): void {
    if (failure !== undefined) throw failure.error;
  }

  const listeners = [
    ['step', waited(step)],
    ['beforeMessage', waited(enter)],
    ['afterMessage', waited(exit)],
    ['step', () => stopIfFailed()],
  ] as const;
  for (const [name, listener] of listeners) events.on(name, listener as never);
  return () => {
    for (const [name, listener] of listeners) events.off(name, listener as never);
    stopIfFailed();
  };
}
