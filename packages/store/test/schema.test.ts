import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layout, openStore } from '../src/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-schema-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Opens the database as it is. */
async function edit(change: (level: ClassicLevel<Uint8Array, Uint8Array>) => Promise<void>): Promise<void> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
  await change(level);
  await level.close();
}

test('a database says which version wrote it; one of another version is refused with what to do, and loses nothing', async () => {
  const store = await openStore(directory);
  const batch = store.batch();
  batch.put(layout.meta, 'row', Uint8Array.of(7));
  await batch.commit();
  await store.close();
  await edit((level) => level.put(Uint8Array.of(1), Uint8Array.of(9)));
  const refused = {
    code: 'store/version',
    severity: 'fatal',
    message: expect.stringMatching(/schema 9, this one has \d+\)\. Move the directory away/),
  };
  await expect(openStore(directory)).rejects.toMatchObject(refused);
  await edit((level) => level.del(Uint8Array.of(1)));
  await expect(openStore(directory)).rejects.toMatchObject({ code: 'store/version', message: expect.stringContaining('schema 1') });
  await edit((level) => level.put(Uint8Array.of(1), Uint8Array.of(4)));
  const again = await openStore(directory);
  expect(again.get(layout.meta, 'row')).toEqual(Uint8Array.of(7));
  await again.close();
});
