import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { toDisplay } from '@hemid/protocol';
import { encodeProof, verifyProof } from '@hemid/provenance';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { playProvenanceScene } from './scene.ts';

const MAX_GZIP_BYTES = 60_000;
/** What a page writes to check a proof: all three come from the two packages. */
const PAGE = `
import { parseChainSpec, fromDisplay } from '@hemid/protocol';
import { decodeProof, verifyProof } from '@hemid/provenance';
globalThis.check = (text, spec, { height, hash }) =>
  JSON.stringify(verifyProof(decodeProof(text), { spec: parseChainSpec(JSON.parse(spec)), checkpoint: { height, hash: fromDisplay(hash) } }));
`;

let code: string;
let inputs: string[];
beforeAll(async () => {
  const result = await build({
    stdin: { contents: PAGE, resolveDir: fileURLToPath(new URL('..', import.meta.url)), loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    conditions: ['@hemid/source', 'browser'],
  });
  code = result.outputFiles[0]?.text ?? '';
  inputs = Object.keys(result.metafile.inputs);
});

test('the verifying bundle is small', () => {
  expect(gzipSync(code, { level: 9 }).length).toBeLessThan(MAX_GZIP_BYTES);
});

test('the verifying bundle holds nothing of the node, and nothing of Node', () => {
  const packages = new Set(inputs.flatMap((path) => /packages\/([^/]+)\//.exec(path)?.[1] ?? []));
  expect([...packages].sort()).toEqual(['protocol', 'provenance']);
  expect(inputs.filter((path) => path.startsWith('node:'))).toEqual([]);
  expect(code).not.toMatch(/\bBuffer\b|\brequire\b|\bprocess\./);
});

test('in a context with nothing but what every browser has, it checks a proof as the package here does', async () => {
  const { spec, specJson, checkpoint, deposit } = await playProvenanceScene();
  const context = createContext({ TextEncoder, TextDecoder });
  runInContext(code, context);
  const check = (text: string): string => {
    const place = JSON.stringify({ height: checkpoint.height, hash: toDisplay(checkpoint.hash) });
    const call = `check(${JSON.stringify(text)}, ${JSON.stringify(JSON.stringify(specJson))}, ${place})`;
    return runInContext(call, context) as string;
  };
  const text = encodeProof(deposit);
  expect(JSON.parse(check(text))).toEqual(verifyProof(deposit, { spec, checkpoint }));
  expect(() => check(text.replace(/"seal":"0x../, '"seal":"0x00'))).toThrow(/is not sealed by its sequencer/);
});
