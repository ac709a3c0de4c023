import { combine } from './arithmetic.ts';
import type { CodeAnalysis } from './code-analysis.ts';
import { FEES } from './opcode-table.ts';
import { ask, hashMemory, loadData, loadMemory, loadSlot, storeMemory, storeSlot, writeLog } from './operation.ts';
import { wrapped } from './words.ts';

/** A word on the stack while code is compiled. */
export interface Value {
  /** JavaScript whose value it is: a name, a literal, an element of the stack. It may be repeated. */
  text: string;
  /** Known now. */
  constant?: bigint;
  /** JavaScript that is true where it is 1, and false where it is 0. */
  test?: string;
  /** Where it lay when the region was entered, from the top: 1 for the top itself. */
  depth?: number;
}

/** Where compiling is: what lies on the stack above those words that were there before and are untouched. */
export interface Place {
  pc: number;
  values: Value[];
  /** Words of before that were taken. */
  taken: number;
  /** Gas that is not charged yet. */
  owed: number;
  /** Destinations of jumps on the way here. */
  way: readonly number[];
  /** Branches that were taken on the way here: how deep this is in the function that is made. */
  nested: number;
}

const GAS = 0x5a;
/** Ends a region with an exceptional halt. */
export const HALT = 'return -1;';
const literal = (word: bigint): string => `0x${word.toString(16)}n`;
const constant = (word: bigint): Value => ({ text: literal(word), constant: word });
const truth = (test: string): Value => ({ text: `(${test} ? 1n : 0n)`, test });
const entry = (depth: number): Value => ({ text: `stack[size - ${depth}]`, depth });
/** An offset or a size as a number. */
const asNumber = ({ text, constant: known }: Value): string => (known === undefined ? `Number(${text})` : `${Number(known)}`);

/** Opcodes with two operands as JavaScript of those; the others go through {@link combine}. */
const BINARY: Record<number, (a: string, b: string) => string> = {
  1: (a, b) => `wrapped(${a} + ${b})`,
  2: (a, b) => `wrapped(${a} * ${b})`,
  3: (a, b) => `wrapped(${a} - ${b})`,
  22: (a, b) => `${a} & ${b}`,
  23: (a, b) => `${a} | ${b}`,
  24: (a, b) => `${a} ^ ${b}`,
};
const COMPARISON: Record<number, string> = { 16: '<', 17: '>', 20: '===' };
/** What can be called by compiled code. */
export const TOOLS = { ask, combine, hashMemory, loadData, loadMemory, loadSlot, storeMemory, storeSlot, wrapped, writeLog };
/** Opcodes that push a word of their own, by {@link ask}; some as JavaScript. */
const ASKED = new Set([0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x59, GAS]);
const ASKED_TEXT: Record<number, string> = { 51: 'frame.caller', 52: 'frame.value', 54: 'BigInt(frame.data.length)' };

/** Writes the JavaScript of one region, opcode by opcode, each as an expression over what lies on the stack where it runs. */
export interface RegionSource {
  readonly lines: string[];
  /** What the stack of before must hold, and by how many words it grows at most. */
  readonly extent: { takes: number; grows: number };
  take(place: Place): Value;
  /** A value that is computed once, here. */
  name(text: string): Value;
  /** Takes the gas that is owed. */
  charge(place: Place): void;
  /** Writes one opcode that goes on with the next. @returns whether it can be compiled. */
  step(place: Place, opcode: number): boolean;
}

/** @param pushes what each PUSH of the code pushes, by its place. */
export function createRegionSource(pushes: CodeAnalysis['pushes']): RegionSource {
  const lines: string[] = [];
  const extent = { takes: 0, grows: 0 };
  let names = 0;

  function take(place: Place): Value {
    const own = place.values.pop();
    if (own !== undefined) return own;
    place.taken += 1;
    extent.takes = Math.max(extent.takes, place.taken);
    return entry(place.taken);
  }
  function put(place: Place, value: Value): void {
    place.values.push(value);
    extent.grows = Math.max(extent.grows, place.values.length - place.taken);
  }
  /** Makes the topmost words ones that the region holds. */
  function hold(place: Place, count: number): void {
    while (place.values.length < count) {
      place.taken += 1;
      place.values.unshift(entry(place.taken));
    }
    extent.takes = Math.max(extent.takes, place.taken);
  }
  function name(text: string): Value {
    names += 1;
    lines.push(`const v${names} = ${text};`);
    return { text: `v${names}` };
  }
  function charge(place: Place): void {
    if (place.owed > 0) lines.push(`if ((frame.gas -= ${place.owed}) < 0) ${HALT}`);
    place.owed = 0;
  }
  function orHalt(done: string): void {
    lines.push(`if (!${done}) ${HALT}`);
  }

  function binary(opcode: number, a: Value, b: Value): Value {
    if (a.constant !== undefined && b.constant !== undefined) return constant(combine(opcode, a.constant, b.constant));
    const comparison = COMPARISON[opcode];
    if (comparison !== undefined) {
      const { text } = name(`${a.text} ${comparison} ${b.text}`);
      return truth(text);
    }
    if (opcode === 0x1b && a.constant !== undefined) return a.constant > 255n ? constant(0n) : name(`wrapped(${b.text} << ${a.text})`);
    if (opcode === 0x1c && a.constant !== undefined) return a.constant > 255n ? constant(0n) : name(`${b.text} >> ${a.text}`);
    return name(BINARY[opcode]?.(a.text, b.text) ?? `combine(${opcode}, ${a.text}, ${b.text})`);
  }

  function isZero(value: Value): Value {
    if (value.constant !== undefined) return constant(value.constant === 0n ? 1n : 0n);
    return truth(name(value.test === undefined ? `${value.text} === 0n` : `!${value.test}`).text);
  }

  function step(place: Place, opcode: number): boolean {
    if (opcode >= 0x5f && opcode <= 0x7f) {
      put(place, constant(opcode === 0x5f ? 0n : (pushes[place.pc] as bigint)));
      place.pc += opcode - 0x5f;
    } else if (opcode >= 0x80 && opcode <= 0x8f) {
      hold(place, opcode - 0x7f);
      put(place, place.values[place.values.length - (opcode - 0x7f)] as Value);
    } else if (opcode >= 0x90 && opcode <= 0x9f) {
      const { values } = place;
      hold(place, opcode - 0x8e);
      const [top, other] = [values.length - 1, values.length - (opcode - 0x8e)];
      [values[top], values[other]] = [values[other] as Value, values[top] as Value];
    } else if ((opcode >= 0x01 && opcode <= 0x07) || opcode === 0x0b || (opcode >= 0x10 && opcode <= 0x1d && opcode !== 0x15 && opcode !== 0x19)) {
      const a = take(place);
      put(place, binary(opcode, a, take(place)));
    } else if (ASKED.has(opcode)) {
      // GAS is what is left behind it.
      if (opcode === GAS) {
        place.owed += FEES[opcode] as number;
        charge(place);
        place.owed -= FEES[opcode] as number;
      }
      put(place, name(ASKED_TEXT[opcode] ?? `ask(${opcode}, frame, machine)`));
    } else if (opcode >= 0xa0 && opcode <= 0xa4) {
      const [offset, size] = [take(place), take(place)];
      const topics = Array.from({ length: opcode - 0xa0 }, () => take(place).text);
      orHalt(`writeLog(frame, state, { offset: ${asNumber(offset)}, size: ${asNumber(size)}, topics: [${topics.join(', ')}] })`);
    } else {
      return effect(place, opcode);
    }
    return true;
  }

  /** Those that are a case of their own. */
  function effect(place: Place, opcode: number): boolean {
    switch (opcode) {
      case 0x15:
        put(place, isZero(take(place)));
        return true;
      case 0x19:
        put(place, name(`wrapped(~${take(place).text})`));
        return true;
      case 0x20: {
        const [offset, size] = [take(place), take(place)];
        const hash = name(`hashMemory(frame, ${asNumber(offset)}, ${asNumber(size)})`);
        lines.push(`if (${hash.text} === undefined) ${HALT}`);
        put(place, hash);
        return true;
      }
      case 0x35:
        put(place, name(`loadData(frame, ${asNumber(take(place))})`));
        return true;
      case 0x50:
        take(place);
        return true;
      case 0x51: {
        const word = name(`loadMemory(frame, ${asNumber(take(place))})`);
        lines.push(`if (${word.text} === undefined) ${HALT}`);
        put(place, word);
        return true;
      }
      case 0x52: {
        const offset = asNumber(take(place));
        orHalt(`storeMemory(frame, ${offset}, ${take(place).text})`);
        return true;
      }
      case 0x54:
        put(place, name(`loadSlot(frame, state, ${take(place).text})`));
        lines.push(`if (frame.gas < 0) ${HALT}`);
        return true;
      case 0x55: {
        // It looks at the gas that is left.
        charge(place);
        const key = take(place).text;
        orHalt(`storeSlot(frame, state, { key: ${key}, word: ${take(place).text} })`);
        return true;
      }
      case 0x5b:
        return true;
      default:
        return false;
    }
  }

  return { lines, extent, take, name, charge, step };
}
