/** Text on its way out: a short one, or the bytes of a long one (UTF-8) in pieces, which are sent as they are. */
export type WireText = string | readonly Buffer[];

/** Shorter ones are copied into one string sooner than they are handled as pieces. */
const LEAST_BYTES = 16_384;

/** A string that is kept: in one piece, and not as the parts that it was put together from. */
export const flatten = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

/** A text that is kept, as it is sent. */
export function keepText(text: string): WireText {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length < LEAST_BYTES ? bytes.toString('utf8') : [bytes];
}

/** Its bytes; for a short one that is not ASCII, the characters. */
export const sizeOfText = (text: WireText): number => (typeof text === 'string' ? text.length : text.reduce((sum, { length }) => sum + length, 0));

/** The same as one string. */
export const toOneString = (text: WireText): string => (typeof text === 'string' ? text : Buffer.concat(text).toString('utf8'));

/** One text behind the other. */
export function joinTexts(texts: readonly WireText[]): WireText {
  if (texts.every((text) => typeof text === 'string')) return texts.join('');
  const pieces: Buffer[] = [];
  let short = '';
  for (const text of texts) {
    if (typeof text === 'string') {
      short += text;
      continue;
    }
    if (short !== '') pieces.push(Buffer.from(short, 'utf8'));
    short = '';
    pieces.push(...text);
  }
  if (short !== '') pieces.push(Buffer.from(short, 'utf8'));
  return pieces;
}

/** A JSON list; each text is one of its items, or several with commas between. */
export const toList = (texts: readonly WireText[]): WireText =>
  joinTexts(['[', ...texts.flatMap((text, i) => (i === 0 ? [text] : [',', text])), ']']);
