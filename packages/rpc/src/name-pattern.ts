const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);

/** Makes the test whether a name is wanted: the last pattern that fits counts, a leading `-` forbids. */
export function createNameTest(patterns: readonly string[]): (name: string) => boolean {
  return (name) => {
    const last = patterns.findLast((pattern) => fits(pattern.replace(/^-/, ''), name));
    return last !== undefined && !last.startsWith('-');
  };
}

/** Reads `*=30000,debug_*=60000`: milliseconds by name, the last that fits; `undefined` for anything else. */
export function readTimeouts(text: string): ((name: string) => number) | undefined {
  const rows = text.split(',').map((row) => /^\s*([a-zA-Z0-9_.]*\*?)=(\d{1,9})\s*$/.exec(row));
  if (rows.some((row) => row === null) || rows[0]?.[1] !== '*') return undefined;
  return (name) => Number(rows.findLast((row) => fits(row?.[1] ?? '', name))?.[2]);
}
