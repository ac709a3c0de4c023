import { isKeystone } from '@hemid/chain';
import { tunnel } from '@hemid/contracts';
import { createRpcDeps } from '@hemid/node';
import { fromHex, TUNNEL_ADDRESS, toHex } from '@hemid/protocol';
import { createLimits, createRpcContext, invoke, methods, type Start } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import { createTestNetwork, createUser, createVaultActor, publishKeystone, type TestNetwork } from '@hemid/testkit';
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);

let network: TestNetwork;
let context: ReturnType<typeof createRpcContext>;
/** What stands in examples for something that every chain has its own of. */
let own: Record<string, unknown[]>;

/** A chain on which a keystone was published and paid for, a deposit credited, and a withdrawal requested. */
beforeAll(async () => {
  network = await createTestNetwork();
  const { bitcoin, sequencer, spec } = network;
  const { chain } = sequencer.node;
  const user = createUser(sequencer.node, 0);
  const vault = createVaultActor(bitcoin);
  const { tx } = await vault.deposit(fromHex(user.address), 1_000_000n);
  await bitcoin.mineBlocks(1);
  await bitcoin.wallet.pay({ outputs: [{ to: bitcoin.wallet.scripts.p2pkh, valueSats: 100_000n }] });
  await bitcoin.mineBlocks(1);
  await bitcoin.wallet.pay({ outputs: [{ to: vault.script, valueSats: 60_000n }], from: 'p2pkh' });
  await bitcoin.mineBlocks(6);
  do await sequencer.build();
  while (!isKeystone(spec, chain.head('latest').header.number));
  await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(PAYEE)] });
  await user.send({ to: toHex(TUNNEL_ADDRESS), data, value: 50_000n * 10n ** 10n });
  await bitcoin.mineBlocks(12);
  await sequencer.build(Number(spec.genesis.keystonePeriod));
  const session = {
    open(_namespace: string, start: Start) {
      start(() => undefined)();
      return '0x1';
    },
    close: () => true,
  };
  context = {
    ...createRpcContext(createRpcDeps(sequencer.node, { clock: network.clock, log: silentLogger }), createLimits({ rpcCheckAnswers: true })),
    session,
  };
  const { payees } = (await invoke('hemi_getPopPayouts', ['0x5'], context)) as { payees: { miner: string }[] };
  own = {
    hemi_getBitcoinBlock: [await bitcoin.rpc('getbestblockhash', [])],
    hemi_getDeposit: [tx.getId()],
    hemi_getPopMiner: [payees[0]?.miner],
  };
});
afterAll(async () => {
  context?.close();
  await network?.close();
});

/** Whether an answer has the fields of an example, and values of the same kinds. */
function expectForm(answer: unknown, example: unknown, path: string): void {
  const kindOf = (value: unknown): string =>
    value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'string' && value.startsWith('0x') ? 'hex' : typeof value;
  expect(kindOf(answer), path).toBe(kindOf(example));
  if (Array.isArray(answer) && Array.isArray(example)) {
    expect(answer.length === 0, path).toBe(example.length === 0);
    for (const [i, one] of answer.entries()) expectForm(one, example[0], `${path}[${i}]`);
  } else if (typeof answer === 'object' && answer !== null) {
    const [mine, theirs] = [answer, example] as Record<string, unknown>[];
    expect(Object.keys(mine ?? {}), path).toEqual(Object.keys(theirs ?? {}));
    for (const [name, value] of Object.entries(mine ?? {})) expectForm(value, theirs?.[name], `${path}.${name}`);
  }
}

for (const [name, { example }] of Object.entries(methods)) {
  if (example === undefined && !name.startsWith('hemi_')) continue;
  test(`${name} answers its example`, async () => {
    if (example === undefined) throw new Error('a hemi_ method has an example');
    expectForm(await invoke(name, own[name] ?? example.params, context), example.result, name);
  });
}
