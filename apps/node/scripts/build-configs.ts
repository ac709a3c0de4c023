import { writeFileSync } from 'node:fs';
import { configDoc } from './config-doc.ts';
import { configFiles } from './config-file.ts';

/** Writes configs/*.json and docs/config.md anew (`npm run configs`); a test compares them with what this gives. */
for (const [name, text] of Object.entries(configFiles())) {
  writeFileSync(new URL(`../../../configs/${name}`, import.meta.url), text);
}
writeFileSync(new URL('../../../docs/config.md', import.meta.url), configDoc());
