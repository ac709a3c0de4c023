/** One operation of a script; `data` is what a push puts on the stack. */
export interface ScriptOp {
  opcode: number;
  data?: Uint8Array;
}

export const OP_PUSHDATA1 = 0x4c;
export const OP_1NEGATE = 0x4f;
export const OP_1 = 0x51;
export const OP_16 = 0x60;
const OP_RETURN = 0x6a;
const OP_CHECKSIG = 0xac;
const OP_CHECKSIGVERIFY = 0xad;
const OP_CHECKMULTISIG = 0xae;
const OP_CHECKMULTISIGVERIFY = 0xaf;

/** What an output script asks for, named as Bitcoin Core names it. */
export type ScriptForm =
  | { type: 'pubkey'; key: Uint8Array }
  | { type: 'pubkeyhash'; hash: Uint8Array }
  | { type: 'scripthash'; hash: Uint8Array }
  | { type: 'multisig'; required: number; keys: Uint8Array[] }
  | { type: 'witness_v0_keyhash'; hash: Uint8Array }
  | { type: 'witness_v0_scripthash'; hash: Uint8Array }
  | { type: 'witness_v1_taproot'; key: Uint8Array }
  | { type: 'anchor' | 'witness_unknown' | 'nulldata' | 'nonstandard' };

/** The operations of a script up to where it stops to parse; `whole` says that it parsed to the end. */
export function readScript(script: Uint8Array): { ops: ScriptOp[]; whole: boolean } {
  const ops: ScriptOp[] = [];
  for (let at = 0; at < script.length; ) {
    const opcode = script[at] ?? 0;
    at += 1;
    if (opcode > OP_PUSHDATA1 + 2) {
      ops.push({ opcode });
      continue;
    }
    const width = opcode < OP_PUSHDATA1 ? 0 : 1 << (opcode - OP_PUSHDATA1);
    if (at + width > script.length) return { ops, whole: false };
    let size = opcode;
    if (width > 0) {
      size = 0;
      for (let i = width - 1; i >= 0; i -= 1) size = size * 256 + (script[at + i] ?? 0);
    }
    at += width;
    if (at + size > script.length) return { ops, whole: false };
    ops.push({ opcode, data: script.subarray(at, at + size) });
    at += size;
  }
  return { ops, whole: true };
}

/** What pushing operations put on the stack; `undefined` if the script does anything but push. */
export function readPushes(script: Uint8Array): Uint8Array[] | undefined {
  const { ops, whole } = readScript(script);
  if (!whole) return undefined;
  const stack: Uint8Array[] = [];
  for (const { opcode, data } of ops) {
    if (data !== undefined) stack.push(data);
    else if (opcode === OP_1NEGATE) stack.push(Uint8Array.of(0x81));
    else if (opcode >= OP_1 && opcode <= OP_16) stack.push(Uint8Array.of(opcode - OP_1 + 1));
    else return undefined;
  }
  return stack;
}

/** Whether a script only pushes, OP_RESERVED counted as a push, as Core's IsPushOnly does. */
export function isPushOnly(script: Uint8Array): boolean {
  const { ops, whole } = readScript(script);
  return whole && ops.every(({ opcode }) => opcode <= OP_16);
}

/** Whether each push uses the shortest operation there is for its data (BIP62 rule 3, policy only). */
export function hasMinimalPushes(script: Uint8Array): boolean {
  return readScript(script).ops.every(({ opcode, data }) => {
    if (data === undefined) return true;
    const byte = data[0] ?? 0;
    if (data.length === 1 && ((byte >= 1 && byte <= 16) || byte === 0x81)) return false;
    if (data.length <= 75) return opcode === data.length;
    if (data.length <= 255) return opcode === OP_PUSHDATA1;
    return data.length > 65535 || opcode === OP_PUSHDATA1 + 1;
  });
}

/** The version and program of a witness output script (BIP141), or `undefined`. */
function readWitnessProgram(script: Uint8Array): { version: number; program: Uint8Array } | undefined {
  const [first = -1, size = -1] = script;
  if (script.length < 4 || script.length > 42 || size + 2 !== script.length) return undefined;
  if (first !== 0 && (first < OP_1 || first > OP_16)) return undefined;
  return { version: first === 0 ? 0 : first - OP_1 + 1, program: script.subarray(2) };
}

const isKeySized = (data: Uint8Array | undefined): data is Uint8Array =>
  (data?.length === 33 && (data[0] === 2 || data[0] === 3)) || (data?.length === 65 && (data[0] === 4 || data[0] === 6 || data[0] === 7));

function readMultisig(ops: ScriptOp[]): ScriptForm | undefined {
  const [first, last] = [ops[0], ops.at(-2)];
  if (ops.length < 4 || ops.at(-1)?.opcode !== OP_CHECKMULTISIG || first === undefined || last === undefined) return undefined;
  const keys = ops.slice(1, -2).map(({ data }) => data);
  const required = first.opcode - OP_1 + 1;
  const total = last.opcode - OP_1 + 1;
  if (required < 1 || required > total || total > 16 || keys.length !== total || !keys.every(isKeySized)) return undefined;
  return { type: 'multisig', required, keys: keys as Uint8Array[] };
}

/** Recognises an output script as Core's Solver does. */
export function readScriptForm(script: Uint8Array): ScriptForm {
  if (script.length === 23 && script[0] === 0xa9 && script[1] === 20 && script[22] === 0x87) {
    return { type: 'scripthash', hash: script.subarray(2, 22) };
  }
  const witness = readWitnessProgram(script);
  if (witness !== undefined) {
    const { version, program } = witness;
    if (version === 0 && program.length === 20) return { type: 'witness_v0_keyhash', hash: program };
    if (version === 0 && program.length === 32) return { type: 'witness_v0_scripthash', hash: program };
    if (version === 1 && program.length === 32) return { type: 'witness_v1_taproot', key: program };
    if (version === 1 && program.length === 2 && program[0] === 0x4e && program[1] === 0x73) return { type: 'anchor' };
    return { type: version === 0 ? 'nonstandard' : 'witness_unknown' };
  }
  if (script[0] === OP_RETURN && isPushOnly(script.subarray(1))) return { type: 'nulldata' };
  const { ops, whole } = readScript(script);
  if (!whole) return { type: 'nonstandard' };
  if (ops.length === 2 && isKeySized(ops[0]?.data) && ops[1]?.opcode === OP_CHECKSIG) {
    return { type: 'pubkey', key: ops[0].data };
  }
  if (script.length === 25 && script[0] === 0x76 && script[1] === 0xa9 && script[2] === 20 && script[23] === 0x88 && script[24] === OP_CHECKSIG) {
    return { type: 'pubkeyhash', hash: script.subarray(3, 23) };
  }
  return readMultisig(ops) ?? { type: 'nonstandard' };
}

/** Signature operations of a script; a multisig counts 20, or its number of keys when `accurate`. */
export function countSigops(script: Uint8Array, counting: 'legacy' | 'accurate'): number {
  let count = 0;
  let previous = 0xff;
  for (const { opcode } of readScript(script).ops) {
    if (opcode === OP_CHECKSIG || opcode === OP_CHECKSIGVERIFY) count += 1;
    if (opcode === OP_CHECKMULTISIG || opcode === OP_CHECKMULTISIGVERIFY) {
      count += counting === 'accurate' && previous >= OP_1 && previous <= OP_16 ? previous - OP_1 + 1 : 20;
    }
    previous = opcode;
  }
  return count;
}
