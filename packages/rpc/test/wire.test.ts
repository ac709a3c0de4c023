import { expect, it } from 'vitest';
import { jsonText, toText, toWire, toWireText } from '../src/wire.ts';
import { keepText, sizeOfText, toList, toOneString } from '../src/wire-text.ts';

it('writes quantities, data and the rest as JSON, and leaves out what is undefined', () => {
  const bytes = Uint8Array.of(0, 255);
  const value = { a: 31n, b: bytes, c: undefined, d: null, 'e"': 'f"\n', g: [undefined, 1, true, { h: 0n }], i: {}, j: [] };
  expect(toText(value)).toBe('{"a":"0x1f","b":"0x00ff","d":null,"e\\"":"f\\"\\n","g":[null,1,true,{"h":"0x0"}],"i":{},"j":[]}');
  expect(toWire(value)).toEqual({ a: '0x1f', b: '0x00ff', d: null, 'e"': 'f"\n', g: [null, 1, true, { h: '0x0' }], i: {}, j: [] });
});

it('writes what is JSON already as JSON.stringify does, and a text of it as it stands', () => {
  const values = [null, true, 0, -0, 1.5e300, Number.NaN, '', '\u2028\ud800"\\', [], [[null]], {}, { '': 1, __proto__x: [{ 1: 'a' }] }];
  for (const value of [...values, values]) {
    const text = JSON.stringify(value);
    expect(toText(value)).toBe(text);
    expect(toText({ kept: [jsonText(text)] })).toBe(`{"kept":[${text}]}`);
  }
});

it('keeps a long text as its bytes, which read the same wherever they are put', () => {
  const [short, long] = [toText(['é']), toText(['é'.repeat(20_000), 7n])];
  expect([keepText(short), sizeOfText(keepText(long))]).toEqual([short, Buffer.byteLength(long)]);
  for (const texts of [[short], [long], [short, long], [long, short, short, long, long]]) {
    const kept = texts.map(keepText);
    expect(toOneString(toList(kept))).toBe(`[${texts.join(',')}]`);
    expect(toText({ kept: kept.map(jsonText) })).toBe(`{"kept":[${texts.join(',')}]}`);
    expect(kept.map((text) => toWireText(jsonText(text)))).toEqual(kept);
  }
  expect(toList([])).toBe('[]');
});
