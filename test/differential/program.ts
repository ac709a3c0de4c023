import type { SeededRandom } from '@hemid/testkit';

/** Bytes of code. */
export type Code = number[];

/** What a random program may refer to. */
export interface ProgramWorld {
  random: SeededRandom;
  /** Addresses worth calling: contracts, accounts, precompiles. */
  addresses: readonly bigint[];
  /** Whether opcodes may be used whose answer the two engines cannot be made to share. */
  isStrict: boolean;
}

const OP = {
  STOP: 0x00,
  ADD: 0x01,
  SUB: 0x03,
  LT: 0x10,
  ISZERO: 0x15,
  AND: 0x16,
  NOT: 0x19,
  CLZ: 0x1e,
  KECCAK256: 0x20,
  ADDRESS: 0x30,
  BALANCE: 0x31,
  CALLER: 0x33,
  CALLDATALOAD: 0x35,
  CALLDATASIZE: 0x36,
  CALLDATACOPY: 0x37,
  CODECOPY: 0x39,
  EXTCODESIZE: 0x3b,
  EXTCODECOPY: 0x3c,
  RETURNDATASIZE: 0x3d,
  RETURNDATACOPY: 0x3e,
  EXTCODEHASH: 0x3f,
  BLOCKHASH: 0x40,
  BLOBHASH: 0x49,
  POP: 0x50,
  MLOAD: 0x51,
  MSTORE: 0x52,
  MSTORE8: 0x53,
  SLOAD: 0x54,
  SSTORE: 0x55,
  JUMPI: 0x57,
  GAS: 0x5a,
  JUMPDEST: 0x5b,
  TLOAD: 0x5c,
  TSTORE: 0x5d,
  MCOPY: 0x5e,
  DUP1: 0x80,
  DUP2: 0x81,
  SWAP1: 0x90,
  LOG0: 0xa0,
  CREATE: 0xf0,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  RETURN: 0xf3,
  DELEGATECALL: 0xf4,
  CREATE2: 0xf5,
  STATICCALL: 0xfa,
  REVERT: 0xfd,
  INVALID: 0xfe,
  SELFDESTRUCT: 0xff,
} as const;

/** Arithmetic of two words; EXP is dear. */
const BINARY = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1c, 0x1d];
const TERNARY = [0x08, 0x09];
/** Opcodes that only say something: address, caller, value, sizes, block, gas. */
const SAY = [0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x45, 0x46, 0x47, 0x48, 0x4a, 0x58, 0x59, 0x5a];
/** The same, of the block's own randomness. */
const SAY_STRICT = [0x44];
const EDGES = [0n, 1n, 2n, 31n, 32n, 255n, 256n, 2n ** 64n, 2n ** 127n, 2n ** 255n, 2n ** 255n - 1n, 2n ** 256n - 1n];

/** PUSH of a number, in as few bytes as it needs. */
export function push(value: bigint | number): Code {
  if (BigInt(value) === 0n) return [0x5f];
  const digits = BigInt(value).toString(16);
  const bytes = [...Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')];
  return [0x5f + bytes.length, ...bytes];
}

/** Code that makes a contract with this runtime code. */
export function creationOf(runtime: Code): Code {
  return [0x61, runtime.length >> 8, runtime.length & 0xff, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3, ...runtime];
}

const pick = <T>(random: SeededRandom, list: readonly T[]): T => list[random.between(0, list.length - 1)] as T;

/** Random bytes. */
export function randomBytes(random: SeededRandom, length: number): Code {
  return Array.from({ length }, () => random.between(0, 255));
}

const randomWord = (random: SeededRandom): bigint => BigInt(`0x${Buffer.from(randomBytes(random, 32)).toString('hex')}`);

/** A slot, a memory offset, a small length. */
const slot = (random: SeededRandom): Code => push(random.between(0, 7));
const offset = (random: SeededRandom): Code => push(random.between(0, 160));
const length = (random: SeededRandom): Code => push(pick(random, [0, 1, 4, 31, 32, 33, 64, 100]));

/** Code that leaves a word on the stack. */
function operand({ random }: ProgramWorld): Code {
  const kind = random.between(0, 9);
  if (kind < 3) return push(pick(random, EDGES));
  if (kind === 3) return push(randomWord(random));
  if (kind === 4) return [...push(random.between(0, 96)), OP.CALLDATALOAD];
  if (kind === 5) return [...slot(random), OP.SLOAD];
  if (kind === 6) return [...slot(random), OP.TLOAD];
  if (kind === 7) return [...offset(random), OP.MLOAD];
  return push(random.between(0, 1000));
}

/** Code that takes a word from the stack. */
function sink({ random }: ProgramWorld): Code {
  const kind = random.between(0, 5);
  if (kind < 2) return [...slot(random), OP.SSTORE];
  if (kind === 2) return [...slot(random), OP.TSTORE];
  if (kind === 3) return [...offset(random), OP.MSTORE];
  if (kind === 4) return [...offset(random), OP.MSTORE8];
  return [OP.POP];
}

const addressOf = ({ random, addresses }: ProgramWorld): Code => (random.between(0, 9) === 0 ? [OP.ADDRESS] : push(pick(random, addresses)));

/** Puts bytes into memory from 0 on. */
function toMemory(bytes: Code): Code {
  const code: Code = [];
  for (let at = 0; at < bytes.length; at += 32) {
    const chunk = [...bytes.slice(at, at + 32)];
    while (chunk.length < 32) chunk.push(0);
    code.push(0x7f, ...chunk, ...push(at), OP.MSTORE);
  }
  return code;
}

function callSomething(world: ProgramWorld): Code {
  const { random } = world;
  const opcode = pick(random, [OP.CALL, OP.CALL, OP.CALLCODE, OP.DELEGATECALL, OP.DELEGATECALL, OP.STATICCALL]);
  const hasValue = opcode === OP.CALL || opcode === OP.CALLCODE;
  return [
    ...length(random),
    ...offset(random),
    ...length(random),
    ...offset(random),
    ...(hasValue ? push(random.between(0, 3) === 0 ? random.between(1, 5) : 0) : []),
    ...addressOf(world),
    ...(random.between(0, 2) === 0 ? push(random.between(0, 60_000)) : [OP.GAS]),
    opcode,
    ...sink(world),
    ...(random.between(0, 1) === 0 ? [OP.RETURNDATASIZE, ...push(0), ...offset(random), OP.RETURNDATACOPY] : []),
  ];
}

/** Creates a contract, sometimes twice at the same address, and sometimes calls it. */
function createSomething(world: ProgramWorld, depth: number): Code {
  const { random } = world;
  const child = random.between(0, 3) === 0 ? [...addressOf(world), OP.SELFDESTRUCT] : creationOf(randomProgram(world, depth + 1).slice(0, 180));
  const isSalted = random.between(0, 1) === 0;
  return [
    ...toMemory(child),
    ...(isSalted ? push(random.between(0, 2)) : []),
    ...push(child.length),
    ...push(0),
    ...push(random.between(0, 2)),
    isSalted ? OP.CREATE2 : OP.CREATE,
    OP.DUP1,
    ...sink(world),
    ...(random.between(0, 1) === 0
      ? [
          ...push(0),
          OP.SWAP1,
          ...push(0),
          OP.SWAP1,
          ...push(0),
          OP.SWAP1,
          ...push(0),
          OP.SWAP1,
          ...push(0),
          OP.SWAP1,
          OP.GAS,
          OP.CALL,
          ...sink(world),
        ]
      : [OP.POP]),
  ];
}

/** One thing that leaves the stack as it was. */
function statement(world: ProgramWorld, depth: number): Code {
  const { random, isStrict } = world;
  const kind = random.between(0, depth < 2 ? 15 : 13);
  if (kind < 3) return [...operand(world), ...operand(world), pick(random, BINARY), ...sink(world)];
  if (kind === 3) return [...operand(world), ...operand(world), ...operand(world), pick(random, TERNARY), ...sink(world)];
  if (kind === 4) return [...operand(world), pick(random, [OP.ISZERO, OP.NOT, OP.CLZ]), ...sink(world)];
  if (kind === 5) return [pick(random, isStrict ? [...SAY, ...SAY_STRICT] : SAY), ...sink(world)];
  if (kind === 6) return [...operand(world), ...slot(random), pick(random, [OP.SSTORE, OP.SSTORE, OP.TSTORE])];
  if (kind === 7) {
    const of = pick(random, [OP.BALANCE, OP.EXTCODESIZE, OP.EXTCODEHASH]);
    if (random.between(0, 5) === 0 && isStrict) return [...push(random.between(0, 40)), pick(random, [OP.BLOCKHASH, OP.BLOBHASH]), ...sink(world)];
    return [...addressOf(world), of, ...sink(world)];
  }
  if (kind === 8) return [...length(random), ...offset(random), OP.KECCAK256, ...sink(world)];
  if (kind === 9) {
    const from = pick(random, [OP.CALLDATACOPY, OP.CODECOPY, OP.MCOPY, OP.EXTCODECOPY]);
    return [...length(random), ...offset(random), ...offset(random), ...(from === OP.EXTCODECOPY ? addressOf(world) : []), from];
  }
  if (kind === 10) {
    const topics = random.between(0, 4);
    return [...Array.from({ length: topics }, () => operand(world)).flat(), ...length(random), ...offset(random), OP.LOG0 + topics];
  }
  if (kind < 14) return callSomething(world);
  return createSomething(world, depth);
}

function ending(world: ProgramWorld): Code {
  const { random } = world;
  const kind = random.between(0, 19);
  if (kind < 8) return [OP.STOP];
  if (kind < 14) return [...length(random), ...offset(random), OP.RETURN];
  if (kind < 17) return [...length(random), ...offset(random), OP.REVERT];
  if (kind === 17) return [...addressOf(world), OP.SELFDESTRUCT];
  if (kind === 18) return [OP.INVALID];
  return randomBytes(random, random.between(1, 40));
}

/** A program of some statements, some of them in loops, and an end. */
export function randomProgram(world: ProgramWorld, depth = 0): Code {
  const { random } = world;
  const code: Code = [];
  for (let left = random.between(1, depth === 0 ? 10 : 4); left > 0; left -= 1) {
    if (random.between(0, 7) > 0) {
      code.push(...statement(world, depth));
      continue;
    }
    code.push(...push(random.between(1, 6)));
    const start = code.length;
    code.push(OP.JUMPDEST, ...statement(world, 2), ...push(1), OP.SWAP1, OP.SUB, OP.DUP1, 0x61, start >> 8, start & 0xff, OP.JUMPI, OP.POP);
  }
  return [...code, ...ending(world)];
}

/** Calls itself as often as the first word of its calldata says, keeping in storage which calls came back. */
export const DEEP: Code = [
  ...[...push(0), OP.CALLDATALOAD, OP.DUP1, OP.ISZERO, 0x60, 0x22, OP.JUMPI],
  ...[...push(1), OP.SWAP1, OP.SUB, ...push(0), OP.MSTORE],
  ...[...push(0), ...push(0), ...push(32), ...push(0), ...push(0), OP.ADDRESS, OP.GAS, OP.CALL],
  ...[...push(0), OP.CALLDATALOAD, ...push(7), OP.AND, OP.SSTORE, OP.STOP],
  ...[OP.JUMPDEST, OP.STOP],
];

const TRANSFER_TOPIC = 0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3efn;

/** A token without allowances: transfer(to, amount), balances by keccak of the holder; the creator gets 10^24. */
export const TOKEN: Code = (() => {
  const holder = (who: Code): Code => [...who, ...push(0), OP.MSTORE, ...push(32), ...push(0), OP.KECCAK256];
  const to: Code = [...push(4), OP.CALLDATALOAD];
  const amount: Code = [...push(36), OP.CALLDATALOAD];
  const check: Code = [...amount, ...holder([OP.CALLER]), OP.SLOAD, OP.LT];
  const move: Code = [
    ...[...amount, ...holder([OP.CALLER]), OP.DUP1, OP.SLOAD, 0x91, OP.SWAP1, OP.SUB],
    ...[OP.SWAP1, OP.SSTORE],
    ...[...amount, ...holder(to), OP.DUP1, OP.SLOAD, 0x91, OP.ADD, OP.SWAP1, OP.SSTORE],
    ...[...amount, ...push(0), OP.MSTORE, ...to, OP.CALLER, ...push(TRANSFER_TOPIC), ...push(32), ...push(0), OP.LOG0 + 3],
    ...[...push(1), ...push(0), OP.MSTORE, ...push(32), ...push(0), OP.RETURN],
  ];
  const at = check.length + 4 + move.length;
  const runtime: Code = [...check, 0x61, at >> 8, at & 0xff, OP.JUMPI, ...move, OP.JUMPDEST, ...push(0), ...push(0), OP.REVERT];
  const mint: Code = [...push(10n ** 24n), ...holder([OP.CALLER]), OP.SSTORE];
  const start = mint.length + 10;
  return [...mint, 0x61, runtime.length >> 8, runtime.length & 0xff, 0x80, 0x60, start, 0x5f, 0x39, 0x5f, 0xf3, ...runtime];
})();
