import type { Common } from '@ethereumjs/common';
import { type EVMOpts, getOpcodesForHF, paramsEVM } from '@ethereumjs/evm';

/** What this file knows of @ethereumjs/evm 10.1.3: a frame at an opcode that creates. */
interface CreateState {
  stack: { peek(count: number): bigint[]; popN(count: number): bigint[]; push(word: bigint): void };
  memory: { read(offset: number, size: number, avoidCopy?: boolean): Uint8Array };
  messageGasLimit?: bigint | undefined;
  interpreter: {
    isStatic(): boolean;
    create(gas: bigint, value: bigint, code: Uint8Array): Promise<bigint>;
    create2(gas: bigint, value: bigint, code: Uint8Array, salt: Uint8Array): Promise<bigint>;
  };
}

const CREATE = 0xf0;
const CREATE2 = 0xf5;

/** Init code that begins like EOF, which no fork of Ethereum has; `undefined` for what a frame must not create, and for any other. */
function eofLikeCode(state: CreateState, common: Common): Uint8Array | undefined {
  const [, offset = 0n, size = 0n] = state.stack.peek(3);
  const isTooLong = common.isActivatedEIP(3860) && size > BigInt(common.param('maxInitCodeSize'));
  if (size < 2n || isTooLong || state.interpreter.isStatic()) return undefined;
  const code = state.memory.read(Number(offset), Number(size), true);
  return code[0] === 0xef && code[1] === 0 ? code : undefined;
}

/** Runs such code as any other: its first opcode is none, so that it takes all of its gas, and the creator's nonce is used up. */
async function createOf(state: CreateState, { opcode, code }: { opcode: number; code: Uint8Array }): Promise<bigint> {
  const { stack, interpreter, messageGasLimit: gas = 0n } = state;
  state.messageGasLimit = undefined;
  const [value = 0n, , , salt = 0n] = stack.popN(opcode === CREATE ? 3 : 4);
  if (opcode === CREATE) return interpreter.create(gas, value, code);
  return interpreter.create2(gas, value, code, Uint8Array.from(Buffer.from(salt.toString(16).padStart(64, '0'), 'hex')));
}

/**
 * CREATE and CREATE2 for an EVM. Those of @ethereumjs/evm refuse init code that begins with 0xEF00 beforehand, for nothing,
 * although EOF (EIP-3540) is not active; Ethereum executes it.
 */
export function creationOpcodes(common: Common): NonNullable<EVMOpts['customOpcodes']> {
  // As an EVM does when it is made.
  common.updateParams(paramsEVM);
  const { handlers, dynamicGasHandlers, opcodes } = getOpcodesForHF(common);
  return [CREATE, CREATE2].flatMap((opcode) => {
    const [stock, gasFunction, info] = [handlers.get(opcode), dynamicGasHandlers.get(opcode), opcodes.get(opcode)];
    // Not every fork has CREATE2.
    if (info === undefined) return [];
    if (stock === undefined || gasFunction === undefined) throw new RangeError(`@ethereumjs/evm has nothing to do for the opcode ${opcode}`);
    return {
      opcode,
      opcodeName: info.name,
      baseFee: info.fee,
      gasFunction,
      async logicFunction(state, rules) {
        const own = state as unknown as CreateState;
        const code = eofLikeCode(own, rules);
        if (code === undefined) await stock(state, rules);
        else own.stack.push(await createOf(own, { opcode, code }));
      },
    };
  });
}
