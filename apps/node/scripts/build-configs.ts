import { writeFileSync } from 'node:fs';
import { configFiles } from './config-file.ts';

/** Writes configs/*.json anew (`npm run configs`); a test compares them with what this gives. */
for (const [name, text] of Object.entries(configFiles())) {
  writeFileSync(new URL(`../../../configs/${name}`, import.meta.url), text);
}
