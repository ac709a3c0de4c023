import { describeConfig } from '@hemid/runtime';
import { custodianConfig, devConfig, nodeConfig } from '../src/config.ts';
import { depositConfig } from '../src/deposit-command.ts';

/** `docs/config.md`: the options of `hemid`, from the table that parses them. */
export function configDoc(): string {
  const section = (title: string, schema: Parameters<typeof describeConfig>[0]): string =>
    `## ${title}\n\n\`\`\`\n${describeConfig(schema, 'HEMID')}\n\`\`\`\n`;
  return [
    '# Configuration of hemid\n',
    'Written by `npm run configs`; a test compares it with the schemas. File named by `--config` (JSON, camelCase keys) < environment < flags.',
    'popmd prints its own options: `npm run popmd -- --help`; [popmd.md](popmd.md) explains them.\n',
    section('hemid dev', devConfig),
    section('hemid node', nodeConfig),
    section('hemid custodian', custodianConfig),
    section('hemid tunnel deposit', depositConfig),
  ].join('\n');
}
