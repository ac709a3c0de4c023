import type { CodeAnalysis } from './code-analysis.ts';
import { compileRegion, type Region } from './compile.ts';

/** Visits after which code is compiled where it is visited; no more than a byte counts. */
export const HOT = 255;
/** A branch that was taken so many times less often than what it branches off from stays uncompiled. */
const RARE = 32;
/** What is compiled of one code in all, as {@link compileRegion} counts it: its deployment cost more. */
const MAX_COST = 4_000;
/** Codes that are kept compiled; the one that was first is forgotten. */
const MAX_CODES = 128;

/** What was compiled so far of each code that is kept compiled, in the order in which they became hot. */
const compiled = new Map<CodeAnalysis, number>();

function forgetFirst(): void {
  const first = compiled.keys().next().value;
  if (first === undefined || compiled.size <= MAX_CODES) return;
  compiled.delete(first);
  first.regions.clear();
  first.visits.fill(0);
}

function compile(analysis: CodeAnalysis, pc: number, hotAt: number): Region | undefined {
  const spent = compiled.get(analysis) ?? 0;
  const made = compileRegion(analysis, pc, { coldBelow: Math.floor(hotAt / RARE), cost: MAX_COST - spent });
  analysis.regions.set(pc, made);
  compiled.set(analysis, spent + (made?.cost ?? 0));
  forgetFirst();
  return made;
}

/** What is compiled from a place on, where execution begins anew; it is compiled when it became hot. */
export function regionAt(analysis: CodeAnalysis, pc: number, hotAt: number): Region | undefined {
  const { visits, regions } = analysis;
  const before = visits[pc];
  if (before === undefined) return undefined;
  if (before < hotAt) {
    visits[pc] = before + 1;
    if (before + 1 < hotAt) return undefined;
  }
  const known = regions.get(pc);
  return known !== undefined || regions.has(pc) ? known : compile(analysis, pc, hotAt);
}
