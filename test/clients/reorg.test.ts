import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Hex } from '@hemid/protocol';
import { waitFor } from '@hemid/testkit';
import { type Abi, createPublicClient, createWalletClient, encodeDeployData, type Hash, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { compileCounter } from './counter.ts';
import { ALICE } from './dev-network.ts';
import { createHardhatProject, type HardhatProject } from './hardhat-project.ts';
import { installed } from './installed.ts';
import { openReorgNetwork, type ReorgNetwork } from './reorg-network.ts';

// Programs that start and compile, on a machine that has more to do.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

// biome-ignore lint/suspicious/noExplicitAny: web3 is fetched when these tests run, its types are not here.
type Web3 = any;

const run = promisify(execFile);
const { abi, bytecode } = compileCounter() as { abi: Abi; bytecode: Hex };

let network: ReorgNetwork;
let project: HardhatProject;
let web3: Web3;
beforeAll(async () => {
  network = await openReorgNetwork();
  project = createHardhatProject(network.url);
  const { Web3: Library } = createRequire(join(installed('web3-4.16.0'), 'package.json'))('web3') as { Web3: new (url: string) => Web3 };
  web3 = new Library(network.url.replace('http', 'ws'));
  installed('foundry-1.7.1');
});
afterAll(async () => {
  web3?.provider.disconnect();
  project?.close();
  await network?.close();
});

async function cast(...args: string[]): Promise<string> {
  const binary = join(installed('foundry-1.7.1'), '@foundry-rs/cast-linux-amd64/bin/cast');
  const env = { ...process.env, ETH_RPC_URL: network.url, FOUNDRY_DISABLE_NIGHTLY_WARNING: '1' };
  return (await run(binary, args, { env, timeout: 60_000 })).stdout.trim();
}

test('web3.js, cast and Hardhat see a reorg: the event is taken back, the receipt is gone, the blocks are others', async () => {
  const wallet = createWalletClient({ account: privateKeyToAccount(ALICE.key), transport: http(network.url) });
  const client = createPublicClient({ transport: http(network.url) });
  const deployed = await wallet.sendTransaction({ chain: null, data: encodeDeployData({ abi, bytecode, args: [4n] }) });
  await network.build();
  const address = (await client.getTransactionReceipt({ hash: deployed })).contractAddress as Hex;
  await network.fork();

  const heard: [count: bigint, removed: boolean][] = [];
  const events = await new web3.eth.Contract(abi, address).events.Counted();
  for (const kind of ['data', 'changed']) events.on(kind, (event: Web3) => heard.push([event.returnValues.count, event.removed]));
  const heads: [number: bigint, hash: Hash][] = [];
  (await web3.eth.subscribe('newBlockHeaders')).on('data', ({ number, hash }: Web3) => heads.push([number, hash]));
  const filter = JSON.parse(await cast('rpc', 'eth_newFilter', JSON.stringify({ address })));
  const polled = await project.script(
    `result = (await client.createContractEventFilter({ address: '${address}', abi: (await counter('${address}')).abi })).id`,
  );

  const lost = await wallet.writeContract({ chain: null, address, abi, functionName: 'add', args: [3n] });
  await network.build();
  const before = { block: await cast('block', '2', '--field', 'hash'), receipt: JSON.parse(await cast('receipt', '--json', lost)) };
  expect(before.receipt).toMatchObject({ status: '0x1', blockHash: before.block });
  await network.reorg();

  expect(await cast('block-number')).toBe('3');
  const block = await cast('block', '2', '--field', 'hash');
  expect(block).not.toBe(before.block);
  await expect(cast('receipt', '--async', lost)).rejects.toThrow(/not found/);
  expect(await cast('call', address, 'count()(uint256)')).toBe('4');
  const changes = JSON.parse(await cast('rpc', 'eth_getFilterChanges', filter)) as { removed: boolean; transactionHash: Hash }[];
  expect(changes.map(({ removed, transactionHash }) => [removed, transactionHash])).toEqual([
    [false, lost],
    [true, lost],
  ]);

  await waitFor(() => heads.length >= 3, { timeoutMs: 20_000, what: 'the heads of both branches' });
  expect(heads.map(([number]) => number)).toEqual([2n, 2n, 3n]);
  expect(heads.slice(0, 2).map(([, hash]) => hash)).toEqual([before.block, block]);
  expect(heard).toContainEqual([7n, true]);
  expect(await web3.eth.getTransactionReceipt(lost).catch((error: Error) => error.name)).toBe('TransactionNotFound');

  const seen = await project.script(`
    const { abi } = await counter('${address}');
    const logs = await client.getFilterChanges({ filter: { id: '${polled}', type: 'event', abi, request: client.request } });
    const lost = await client.getTransactionReceipt({ hash: '${lost}' }).catch((error) => error.name);
    result = { removed: logs.map(({ removed }) => removed), lost, block: (await client.getBlock({ blockNumber: 2n })).hash };
  `);
  expect(seen).toEqual({ removed: [false, true], lost: 'TransactionReceiptNotFoundError', block });
  // The transaction waits again: the next block takes it.
  await network.build();
  expect((await client.getTransactionReceipt({ hash: lost })).blockNumber).toBe(4n);
});
