import { bitcoinSuite } from './bitcoin.ts';
import { openSharedData, type SharedData } from './data.ts';
import { blockchainTestSuite } from './ethereum/blockchain-test.ts';
import { stateTestSuite } from './ethereum/state-test.ts';
import { hemiSuite } from './hemi.ts';
import { createReport, type Report } from './report.ts';
import { rpcCompatSuite } from './rpc-compat.ts';

const SUITES: Record<string, (data: SharedData, report: Report) => Promise<void>> = {
  bitcoin: bitcoinSuite,
  hemi: hemiSuite,
  'state-tests': stateTestSuite,
  'blockchain-tests': blockchainTestSuite,
  'rpc-compat': rpcCompatSuite,
};

const usage = `usage: npm run conformance -- --data <shared folder> [suite...]\nsuites: ${Object.keys(SUITES).join(', ')}`;

async function main(argv: readonly string[]): Promise<number> {
  const at = argv.indexOf('--data');
  const folder = at === -1 ? undefined : argv[at + 1];
  const names = argv.filter((_, i) => at === -1 || (i !== at && i !== at + 1));
  const unknown = names.filter((name) => SUITES[name] === undefined);
  if (folder === undefined || unknown.length > 0) {
    console.log(unknown.length > 0 ? `unknown suite ${unknown.join(', ')}\n${usage}` : usage);
    return 2;
  }
  const report = createReport();
  const data = openSharedData(folder);
  for (const name of names.length > 0 ? names : Object.keys(SUITES)) {
    console.log(`suite ${name}`);
    await report.check(`suite ${name} runs to its end`, async () => SUITES[name]?.(data, report));
  }
  return report.close();
}

process.exitCode = await main(process.argv.slice(2));
