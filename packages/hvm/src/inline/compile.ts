import { compileFunction } from 'node:vm';
import type { CodeAnalysis } from './code-analysis.ts';
import type { Frame, Machine } from './machine.ts';
import { FEES } from './opcode-table.ts';
import { createRegionSource, HALT, type Place, TOOLS } from './region-source.ts';

/** A part of some code as one function: from one place on, along the ways that it was seen to go. */
export interface Region {
  /** Words that the stack must hold, and by how many it grows at most meanwhile; otherwise it must not be run. */
  takes: number;
  grows: number;
  /** What of {@link CompileLimits.cost} it took. */
  cost: number;
  /**
   * Runs until it comes to an opcode that is not compiled, or to a place that was seldom visited; `frame.size` are the
   * words on the stack then.
   *
   * @returns the place of the opcode to go on with; below zero for an exceptional halt.
   */
  run(frame: Frame, machine: Machine, size: number): number;
}

const JUMP = 0x56;
const JUMPI = 0x57;

/** What of a branch is worth compiling. */
export interface CompileLimits {
  /** Places that were visited less often are left to the interpreter. */
  coldBelow: number;
  /** Opcodes at most, those on several ways counted several times, and words that are put in place where they end. */
  cost: number;
}

/** How often a way may come by the same destination: a loop is unrolled so far. */
const MAX_ROUNDS = 3;
/** Words that are held while code is compiled, and sides of branches within another: more is left to the interpreter. */
const MAX_HELD = 64;
const MAX_NESTED = 32;

/**
 * Compiles code from a place on: jumps whose destination is known are followed, both sides of a branch too, so that no
 * opcode that only moves words about or jumps is left. Gas and stack are checked for many opcodes at once: an exceptional
 * halt leaves no trace, so it does not matter where between two effects it is found.
 *
 * @returns `undefined` when nothing was to be compiled there.
 */
export function compileRegion({ code, jumps, pushes, visits }: CodeAnalysis, start: number, limits: CompileLimits): Region | undefined {
  const { lines, extent, take, name, charge, step } = createRegionSource(pushes);
  let cost = 0;

  /** Leaves the region: what lies elsewhere than before is written to the stack. */
  function leave(place: Place): void {
    charge(place);
    const changed = place.values.map((value, i) => ({ value, depth: place.taken - i })).filter(({ value, depth }) => value.depth !== depth);
    // All are read before one is written.
    const written = changed.map(({ value, depth }) => ({ depth, text: value.depth === undefined ? value.text : name(value.text).text }));
    for (const { depth, text } of written) lines.push(`stack[size ${depth > 0 ? `- ${depth}` : `+ ${-depth}`}] = ${text};`);
    cost += written.length;
    lines.push(`frame.size = size + ${place.values.length - place.taken};`, `return ${place.pc};`);
  }

  /** Goes on at a place that is jumped to, or behind a jump. @returns whether it did: otherwise the region ends there. */
  function enter(place: Place, to: number): boolean {
    const isLoop = place.way.filter((one) => one === to).length > MAX_ROUNDS;
    place.pc = to;
    if (isLoop || place.nested > MAX_NESTED || (visits[to] ?? 0) < limits.coldBelow) {
      leave(place);
      return false;
    }
    place.way = [...place.way, to];
    return true;
  }

  /** Jumps to where the top of the stack says, or perhaps. @returns whether the way goes on. */
  function turn(place: Place, opcode: number): boolean {
    cost += 1;
    place.owed += FEES[opcode] as number;
    const to = Number(take(place).constant);
    const isThere = jumps[to] === 1;
    if (opcode === JUMPI) {
      const condition = take(place);
      lines.push(`if (${condition.test ?? `${condition.text} !== 0n`}) {`);
      const taken = { ...place, values: [...place.values], nested: place.nested + 1 };
      if (!isThere) lines.push(HALT);
      else if (enter(taken, to)) follow(taken);
      lines.push('}');
      return enter(place, place.pc + 1);
    }
    if (!isThere) lines.push(HALT);
    return isThere && enter(place, to);
  }

  /** Compiles from a place to wherever its ways end; what recurs is as deep as branches are nested. */
  function follow(place: Place): void {
    const { values } = place;
    while (cost < limits.cost && values.length <= MAX_HELD) {
      const opcode = code[place.pc] ?? 0;
      if (opcode === JUMP || opcode === JUMPI) {
        if (values.at(-1)?.constant === undefined) break;
        if (!turn(place, opcode)) return;
      } else {
        if (!step(place, opcode)) break;
        cost += 1;
        place.owed += FEES[opcode] as number;
        place.pc += 1;
      }
    }
    leave(place);
  }

  follow({ pc: start, values: [], taken: 0, owed: 0, way: [start], nested: 0 });
  if (cost === 0) return undefined;
  const source = `return function (frame, machine, size) { const { stack } = frame; const { state } = machine;\n${lines.join('\n')}\n};`;
  const run = compileFunction(source, Object.keys(TOOLS))(...Object.values(TOOLS)) as Region['run'];
  return { ...extent, cost, run };
}
