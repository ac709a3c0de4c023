import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** Version of this program. */
export const VERSION: string = version;

/** Name and version, as `web3_clientVersion` gives it. */
export const CLIENT_VERSION: string = `hemid/v${version}/node-${process.version}`;
