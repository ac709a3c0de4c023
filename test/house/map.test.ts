import { readdirSync, readFileSync } from 'node:fs';
import { methods, renderMethodDoc } from '@hemid/rpc';
import { expect, test } from 'vitest';
import { configDoc } from '../../apps/node/scripts/config-doc.ts';
import { configFiles } from '../../apps/node/scripts/config-file.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const folders = (path: string): string[] =>
  readdirSync(new URL(path, root), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [`${path}${e.name}`] : []));

test('the map in the README and the table in docs/architecture.md list every package and app', () => {
  const readme = read('README.md');
  const architecture = read('docs/architecture.md');
  for (const folder of [...folders('packages/'), ...folders('apps/')]) {
    expect(readme, folder).toContain(`| \`${folder}\` |`);
    expect(architecture, folder).toContain(`| \`${folder.replace('packages/', '')}\` |`);
  }
});

test('the README opens with the two commands', () => {
  expect(read('README.md').slice(0, 300)).toMatch(/npm start[\s\S]*npm test/);
});

test('configs/, docs/config.md and docs/rpc.md hold what npm run configs writes', () => {
  for (const [name, text] of Object.entries(configFiles())) expect(read(`configs/${name}`), name).toBe(text);
  expect(read('docs/config.md')).toBe(configDoc());
  expect(read('docs/rpc.md')).toBe(renderMethodDoc(methods));
});
