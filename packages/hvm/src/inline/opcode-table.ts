/* Opcodes of the Osaka rules: base gas, and what they take from the stack and put on it (Yellow Paper, appendix H). */

/** Words that a stack holds at most. */
export const MAX_STACK = 1024;

/** Base gas of an opcode that no rule knows: more than anybody has. */
const INVALID = Number.POSITIVE_INFINITY;

/** Base gas by opcode. What depends on operands is charged where the opcode runs. */
export const FEES = new Float64Array(256).fill(INVALID);
/** Words an opcode takes from the stack. */
export const POPS = new Uint8Array(256);
/** Words by which it grows the stack. */
export const GROWTH = new Int8Array(256);
/** Opcodes that exist and are not run inline: those that create, destroy or ask for more than the state. */
export const FOREIGN = new Uint8Array(256);

function define(fee: number, [pops, pushes]: [number, number], ...opcodes: number[]): void {
  for (const opcode of opcodes) {
    FEES[opcode] = fee;
    POPS[opcode] = pops;
    GROWTH[opcode] = pushes - pops;
  }
}

// STOP; ADD … SIGNEXTEND; comparisons, bits and shifts; KECCAK256
define(0, [0, 0], 0x00);
define(3, [2, 1], 0x01, 0x03);
define(5, [2, 1], 0x02, 0x04, 0x05, 0x06, 0x07, 0x0b);
define(8, [3, 1], 0x08, 0x09);
define(10, [2, 1], 0x0a);
define(3, [2, 1], 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1c, 0x1d);
define(3, [1, 1], 0x15, 0x19);
define(5, [1, 1], 0x1e);
define(30, [2, 1], 0x20);
// ADDRESS ORIGIN CALLER CALLVALUE CALLDATASIZE CODESIZE GASPRICE RETURNDATASIZE; the block; PC MSIZE GAS PUSH0
define(2, [0, 1], 0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x48, 0x58, 0x59, 0x5a, 0x5f);
// BALANCE EXTCODESIZE EXTCODEHASH: charged by access; EXTCODECOPY
define(0, [1, 1], 0x31, 0x3b, 0x3f);
define(0, [4, 0], 0x3c);
// CALLDATALOAD; CALLDATACOPY CODECOPY RETURNDATACOPY MCOPY; SELFBALANCE
define(3, [1, 1], 0x35);
define(3, [3, 0], 0x37, 0x39, 0x3e, 0x5e);
define(5, [0, 1], 0x47);
// POP; MLOAD; MSTORE MSTORE8; SLOAD SSTORE by access; JUMP JUMPI JUMPDEST; TLOAD TSTORE
define(2, [1, 0], 0x50);
define(3, [1, 1], 0x51);
define(3, [2, 0], 0x52, 0x53);
define(0, [1, 1], 0x54);
define(0, [2, 0], 0x55);
define(8, [1, 0], 0x56);
define(10, [2, 0], 0x57);
define(1, [0, 0], 0x5b);
define(100, [1, 1], 0x5c);
define(100, [2, 0], 0x5d);
for (let i = 0; i < 32; i += 1) define(3, [0, 1], 0x60 + i);
for (let i = 0; i < 16; i += 1) define(3, [i + 1, i + 2], 0x80 + i);
for (let i = 0; i < 16; i += 1) define(3, [i + 2, i + 2], 0x90 + i);
for (let i = 0; i <= 4; i += 1) define(375 + 375 * i, [i + 2, 0], 0xa0 + i);
// CALL; DELEGATECALL STATICCALL; RETURN REVERT
define(0, [7, 1], 0xf1);
define(0, [6, 1], 0xf4, 0xfa);
define(0, [2, 0], 0xf3, 0xfd);
// BLOCKHASH BLOBHASH BLOBBASEFEE CREATE CALLCODE CREATE2 SELFDESTRUCT
for (const opcode of [0x40, 0x49, 0x4a, 0xf0, 0xf2, 0xf5, 0xff]) {
  define(0, [0, 0], opcode);
  FOREIGN[opcode] = 1;
}
