import { addressCases } from './bitcoin-addresses.ts';
import { blockCases } from './bitcoin-blocks.ts';
import { headerCases } from './bitcoin-headers.ts';
import { transactionCases } from './bitcoin-transactions.ts';
import type { SharedData } from './data.ts';
import type { Report } from './report.ts';

/** Suite `bitcoin`: real headers and blocks, and Core's own vectors. A file that is missing fails its part by name. */
export async function bitcoinSuite(data: SharedData, report: Report): Promise<void> {
  await report.check('mainnet headers', () => headerCases(data, report));
  await report.check('whole blocks', () => blockCases(data, report));
  await transactionCases(data, report);
  await addressCases(data, report);
}
