import { openRegtest } from '@hemid/bitcoin';
import { silentLogger, systemClock } from '@hemid/runtime';

/** A process that serves the embedded chain of a directory, until it is killed; its first line is the URL. */
const regtest = await openRegtest({ directory: process.argv[2] ?? '', clock: systemClock, log: silentLogger });
const { url } = await regtest.serve({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${url}\n`);
