import type { Region } from './compile.ts';

/** What is known of code before it runs, and learned while it does. */
export interface CodeAnalysis {
  code: Uint8Array;
  /** 1 where a JUMPDEST stands that is no push data. */
  jumps: Uint8Array;
  /** The words that PUSH1 to PUSH32 push, by the place of the opcode; what code lacks at its end is zero. */
  pushes: (bigint | undefined)[];
  /** How often execution began anew at a place, behind a jump or a call; counted no further than code is hot. */
  visits: Uint8Array;
  /** What was compiled, by where it begins; `undefined` where nothing can be. */
  regions: Map<number, Region | undefined>;
}

/** State gives the same array for the same code each time. */
const known = new WeakMap<Uint8Array, CodeAnalysis>();

function pushed(code: Uint8Array, from: number, size: number): bigint {
  const hex = Buffer.from(code.subarray(from, from + size)).toString('hex');
  return BigInt(`0x${hex.padEnd(size * 2, '0')}`);
}

/** Jump destinations and push words of code, once for each code. */
export function analyseCode(code: Uint8Array): CodeAnalysis {
  const found = known.get(code);
  if (found !== undefined) return found;
  const analysis: CodeAnalysis = {
    code,
    jumps: new Uint8Array(code.length),
    pushes: new Array(code.length),
    visits: new Uint8Array(code.length + 1),
    regions: new Map(),
  };
  for (let at = 0; at < code.length; at += 1) {
    const opcode = code[at] as number;
    if (opcode === 0x5b) analysis.jumps[at] = 1;
    if (opcode < 0x60 || opcode > 0x7f) continue;
    const size = opcode - 0x5f;
    analysis.pushes[at] = pushed(code, at + 1, size);
    at += size;
  }
  known.set(code, analysis);
  return analysis;
}
