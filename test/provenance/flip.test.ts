import { devKey } from '@hemid/node';
import { decodeHeader, encodeHeader, hashHeader, isHemidError, type L2Header, signSeal } from '@hemid/protocol';
import { type BitcoinInclusion, decodeProof, encodeProof, verifyProof } from '@hemid/provenance';
import { beforeAll, expect, test } from 'vitest';
import { type ProvenanceScene, playProvenanceScene } from './scene.ts';

/** Of so many bytes one is flipped; every one in the long run. */
const STEPS =
  process.env['HEMID_LONG'] === undefined
    ? ({ deposit: 37, withdrawal: 151, transaction: 131, block: 131 } as const)
    : ({ deposit: 1, withdrawal: 1, transaction: 1, block: 1 } as const);
const DIGITS = '0123456789abcdef';

let scene: ProvenanceScene;
beforeAll(async () => {
  scene = await playProvenanceScene();
});

/** The code of the error that a text ends with, or `undefined` when it is a valid proof. */
function judge(text: string): string | undefined {
  const { spec, checkpoint } = scene;
  try {
    verifyProof(decodeProof(text), { spec, checkpoint });
  } catch (error) {
    if (isHemidError(error)) return error.code;
    throw error;
  }
  return undefined;
}

/** Another character that keeps the form where it can: a digit becomes another digit, so that a value changes. */
function otherDigit(char: string): string {
  if (/[0-9]/.test(char)) return DIGITS[(Number(char) + 1) % 10] as string;
  return /[a-f]/.test(char) ? (DIGITS[10 + ((DIGITS.indexOf(char) - 9) % 6)] as string) : String.fromCharCode(char.charCodeAt(0) ^ 1);
}

/** The link that breaks when the digit behind a field is another. */
function codeAt(text: string, field: RegExp): string | undefined {
  const at = text.search(field) + (field.exec(text)?.[0].length ?? 0);
  return judge(text.slice(0, at) + otherDigit(text[at] as string) + text.slice(at + 1));
}

const flips: [string, (char: string, at: number) => string][] = [
  ['a digit becomes another', otherDigit],
  ['a bit of the file is flipped', (char, at) => String.fromCharCode(char.charCodeAt(0) ^ (1 << (at % 7)))],
];

for (const kind of ['deposit', 'withdrawal', 'transaction', 'block'] as const) {
  test.each(flips)(`every byte of the proof of a ${kind} counts: %s`, { timeout: 3_600_000 }, (_, flip) => {
    const text = encodeProof(scene[kind]);
    expect(judge(text)).toBeUndefined();
    const reasons = new Map<string, number>();
    const survived: string[] = [];
    for (let at = 0; at < text.length; at += STEPS[kind]) {
      const code = judge(text.slice(0, at) + flip(text[at] as string, at) + text.slice(at + 1));
      if (code === undefined) survived.push(`byte ${at}: …${text.slice(Math.max(0, at - 30), at + 1)}`);
      else reasons.set(code, (reasons.get(code) ?? 0) + 1);
    }
    expect(survived).toEqual([]);
    expect([...reasons.keys()].filter((code) => !code.startsWith('provenance/'))).toEqual([]);
  });
}

test('every link is named when it is what a flipped digit breaks', () => {
  const text = encodeProof(scene.deposit);
  expect(codeAt(text, /"spec":"0x/)).toBe('provenance/spec');
  expect(codeAt(text, /"bitcoin":\{"headers":"0x[0-9a-f]{300}/)).toBe('provenance/bitcoin');
  expect(codeAt(text, /"bitcoin":.*"tip":"0x/)).toBe('provenance/bitcoin');
  expect(codeAt(text, /\],"headers":\["0x[0-9a-f]{60}|,"headers":\["0x[0-9a-f]{60}/)).toBe('provenance/block');
  expect(codeAt(text, /"history":\{"account":\["0x[0-9a-f]{20}/)).toBe('provenance/block');
  expect(codeAt(text, /"inclusion":\{"index":/)).toBe('provenance/block');
  expect(codeAt(text, /"seal":"0x/)).toBe('provenance/seal');
  expect(codeAt(text, /"anchor":\{"branch":\["0x/)).toBe('provenance/anchor');
  expect(codeAt(text, /"lock":\{"branch":\["0x/)).toBe('provenance/lock');
  expect(codeAt(text, /"lock":.*"index":/)).toBe('provenance/lock');
});

test('every link of a withdrawal is named when it is what a flipped digit breaks', () => {
  const text = encodeProof(scene.withdrawal);
  expect(codeAt(text, /"withdrawal":\{"id":/)).toBe('provenance/request');
  expect(codeAt(text, /"payment":\{"branch":\["0x/)).toBe('provenance/payment');
  expect(codeAt(text, /"payment":.*?"height":/)).toBe('provenance/payment');
  expect(codeAt(text, /"settlement":\{"anchor":\{"branch":\["0x/)).toBe('provenance/anchor');
  expect(codeAt(text, /"settlement":.*"headers":\["0x[0-9a-f]{60}/)).toBe('provenance/block');
  expect(codeAt(text, /"settlement":.*"history":\{"account":\["0x[0-9a-f]{20}/)).toBe('provenance/block');
  expect(codeAt(text, /"settlement":.*"inclusion":\{"index":/)).toBe('provenance/block');
  expect(codeAt(text, /"settlement":.*"seal":"0x/)).toBe('provenance/seal');
});

test('a block that was put below the keystone block afterwards is not the one that its state knows', () => {
  const { spec, block: proof } = scene;
  const [first, ...between] = proof.headers.map(decodeHeader);
  const forged = [{ ...(first as L2Header), gasUsed: 1n }];
  for (const header of between) forged.push({ ...header, parentHash: hashHeader(forged[forged.length - 1] as L2Header) });
  const keystone = forged[forged.length - 1] as L2Header;
  const seal = signSeal(devKey('sequencer').secret, BigInt(spec.genesis.chainId), hashHeader(keystone));
  expect(judge(encodeProof({ ...proof, headers: forged.map(encodeHeader), seal }))).toBe('provenance/block');
});

test('a Bitcoin transaction that publishes something else anchors nothing', () => {
  const { spec, checkpoint, deposit } = scene;
  const other = { ...deposit, anchor: deposit.lock as BitcoinInclusion };
  expect(() => verifyProof(other, { spec, checkpoint })).toThrow('anchor: the Bitcoin transaction does not publish keystone 10');
});

test('a file in another form than the one is refused: white space, capitals, unknown and missing fields, two of one', () => {
  const text = encodeProof(scene.block);
  const json = JSON.parse(text) as Record<string, unknown>;
  const refused = [
    `${text}\n`,
    JSON.stringify(json, null, 1),
    text.replace(/0x[0-9a-f]{64}/, (hex) => `0x${hex.slice(2).toUpperCase()}`),
    JSON.stringify({ ...json, note: 'x' }),
    JSON.stringify({ ...json, seal: undefined }),
    JSON.stringify({ ...json, seal: '0x00' }),
    JSON.stringify({ ...json, headers: [] }),
    text.replace('{', '{"seal":"0x00",'),
    JSON.stringify(text),
    '',
  ];
  expect(refused.map(judge)).toEqual(refused.map(() => 'provenance/form'));
  // Without its inclusion a deposit is no proof; without its lock it is one of the transaction that credits it.
  const { lock, ...transaction } = scene.deposit;
  expect(lock).toBeDefined();
  expect(judge(encodeProof(transaction))).toBeUndefined();
  const { inclusion, ...alone } = scene.deposit;
  expect(inclusion).toBeDefined();
  expect(judge(encodeProof(alone))).toBe('provenance/form');
});
