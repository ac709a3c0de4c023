/** A case of the suite: questions with the answers that are expected. */
export interface IoCase {
  rounds: { request: string; expected: unknown }[];
  /** Whether the answer is checked against the schema of its method alone. */
  isSpecOnly: boolean;
}

/** Reads the text of an `.io` file: `>> ` a request, `<< ` its answer, `//` a comment, in which the suite says `speconly`. */
export function readIoCase(text: string): IoCase {
  const rounds: IoCase['rounds'] = [];
  let request: string | undefined;
  let isSpecOnly = false;
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line.startsWith('//')) isSpecOnly ||= /^\/\/\s*speconly:/.test(line);
    else if (line.startsWith('>> ')) request = line.slice(3);
    else if (line.startsWith('<< ') && request !== undefined) rounds.push({ request, expected: JSON.parse(line.slice(3)) });
  }
  if (rounds.length === 0) throw new Error('a case without a question');
  return { rounds, isSpecOnly };
}
