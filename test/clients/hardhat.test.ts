import type { Hex } from '@hemid/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addMessage } from './counter.ts';
import { ALICE, BOB, type DevNetwork, type Sighting, SYSTEM_TYPES, startDevNetwork } from './dev-network.ts';
import { createHardhatProject, type HardhatProject } from './hardhat-project.ts';

// Programs that start and compile, on a machine that has more to do.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let network: DevNetwork;
let project: HardhatProject;
let counter: Hex;
beforeAll(async () => {
  network = await startDevNetwork();
  project = createHardhatProject(network.url);
});
afterAll(async () => {
  project?.close();
  await network?.close();
});

test('Hardhat ignition deploys a module, and finds it deployed when asked again', async () => {
  const output = await project.hardhat('ignition', 'deploy', 'ignition/modules/Counters.js');
  expect(output).toContain('[ Counters ] successfully deployed');
  counter = /Counters#Counter - (0x\w{40})/.exec(output)?.[1] as Hex;
  expect(await project.hardhat('ignition', 'deploy', 'ignition/modules/Counters.js')).toContain('Nothing new to deploy');
});

test('Hardhat writes, waits, reads, finds events, polls a filter, traces, and decodes a custom error', async () => {
  const seen = await project.script(`
      const it = await counter('${counter}');
      const filter = await client.createContractEventFilter({ address: it.address, abi: it.abi, eventName: 'Counted' });
      const hash = await it.write.add([2n]);
      const { status, type } = await client.waitForTransactionReceipt({ hash });
      const polled = await client.getFilterChanges({ filter });
      const past = await it.getEvents.Counted({}, { fromBlock: 0n });
      const trace = await client.request({ method: 'debug_traceTransaction', params: [hash, { tracer: 'callTracer' }] });
      const refused = await it.simulate.add([11n]).catch((error) => error.walk((one) => one.data?.errorName !== undefined).data.errorName);
      result = { status, type, count: await it.read.count(), polled: polled.map(({ args }) => args.count), past: past.map(({ args }) => args.count),
        traced: trace.to, refused };
    `);
  expect(seen).toEqual({
    status: 'success',
    type: 'eip1559',
    count: 9,
    polled: [9],
    past: [7, 9],
    traced: counter.toLowerCase(),
    refused: 'TooMuch',
  });
});

test('Hardhat signs typed data (EIP-712) that the contract verifies, delegates (EIP-7702), and decodes system transactions', async () => {
  const sightings = await network.systemTransactions();
  const message = JSON.stringify(addMessage(743555, counter, 5));
  const system = JSON.stringify(SYSTEM_TYPES.map((type) => sightings[type] as Sighting));
  const seen = await project.script(`
      const { createWalletClient, custom, encodeFunctionData } = await import('viem');
      const { privateKeyToAccount } = await import('viem/accounts');
      const it = await counter('${counter}');
      const account = privateKeyToAccount('${ALICE.key}');
      const signer = await it.read.signerOf([5n, await account.signTypedData(${message})]);
      const wallet = createWalletClient({ account, chain: client.chain, transport: custom(client) });
      const authorization = await wallet.signAuthorization({ contractAddress: it.address, executor: 'self' });
      const data = encodeFunctionData({ abi: it.abi, functionName: 'add', args: [1n] });
      const hash = await wallet.sendTransaction({ to: account.address, data, authorizationList: [authorization] });
      const { status, type } = await client.waitForTransactionReceipt({ hash });
      const delegated = await (await counter(account.address)).read.count();
      const types = [];
      for (const { block, hash } of ${system}) {
        const { transactions } = await client.getBlock({ blockNumber: BigInt(block), includeTransactions: true });
        const receipt = await client.getTransactionReceipt({ hash });
        types.push([transactions.find((one) => one.hash === hash).typeHex, (await client.getTransaction({ hash })).typeHex, receipt.status]);
      }
      result = { signer, status, type, delegated, types };
    `);
  const types = SYSTEM_TYPES.map((type) => [type, type, 'success']);
  expect(seen).toEqual({ signer: ALICE.address, status: 'success', type: 'eip7702', delegated: 1, types });
  expect(await network.call('eth_getTransactionCount', BOB.address, 'latest')).toBe('0x3');
});
