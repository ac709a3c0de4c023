import { writeFileSync } from 'node:fs';
import { methods, renderMethodDoc } from '@hemid/rpc';
import { configDoc } from './config-doc.ts';
import { configFiles } from './config-file.ts';

/** Writes configs/*.json, docs/config.md and docs/rpc.md anew (`npm run configs`); a test compares them with what this gives. */
for (const [name, text] of Object.entries(configFiles())) {
  writeFileSync(new URL(`../../../configs/${name}`, import.meta.url), text);
}
writeFileSync(new URL('../../../docs/config.md', import.meta.url), configDoc());
writeFileSync(new URL('../../../docs/rpc.md', import.meta.url), renderMethodDoc(methods));
