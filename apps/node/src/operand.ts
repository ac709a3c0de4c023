/**
 * Splits `FILE --data DIR` or `--data DIR FILE`: every option takes a value but these `flags`.
 */
export function splitOperand(argv: readonly string[], flags: readonly string[] = []): { operands: string[]; options: string[] } {
  const operands: string[] = [];
  const options: string[] = [];
  let isValue = false;
  for (const word of argv) {
    const isOption: boolean = !isValue && word.startsWith('-');
    (isOption || isValue ? options : operands).push(word);
    isValue = isOption && !word.includes('=') && !flags.includes(word);
  }
  return { operands, options };
}
