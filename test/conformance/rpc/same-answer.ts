/** Whether a value is what the suite expects: numbers by value, objects with the same fields in any order. */
function difference(actual: unknown, expected: unknown, path: string): string | undefined {
  const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
  const differs = `${path} is ${show(actual)}, expected ${show(expected)}`;
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected) ? undefined : differs;
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual) !== Array.isArray(expected)) return differs;
  if (Array.isArray(actual) && actual.length !== (expected as unknown[]).length) return differs;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const found = difference((actual as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Answer {
  result?: unknown;
  error?: { code: number; message?: string };
}

/** Drops the words of an error when both have some: clients may choose their own. */
function withoutWords(answer: Answer, other: Answer): Answer {
  if (answer.error?.message === undefined || other.error?.message === undefined) return answer;
  const { message: _, ...error } = answer.error;
  return { ...answer, error };
}

/** @throws an error that says where an answer is not the expected one. */
export function expectSameAnswer(actual: unknown, expected: unknown): void {
  const [is, should] = [actual as Answer, expected as Answer];
  if (is.error !== undefined && should.error === undefined) throw new Error(`answer is the error ${is.error.code}: ${is.error.message}`);
  const found = difference(withoutWords(is, should), withoutWords(should, is), 'answer');
  if (found !== undefined) throw new Error(found);
}
