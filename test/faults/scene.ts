import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bitcoinProbe } from '@hemid/contracts';
import { createNode, devKey, devVaultScript, type Node, openDbNode } from '@hemid/node';
import { concat, decodeBitcoinHeader, fromHex, hashBitcoinHeader, type SealedBlock, toDigits, toHex } from '@hemid/protocol';
import { Secret, silentLogger, systemClock } from '@hemid/runtime';
import { layout, openMemoryStore, type Store, type Table } from '@hemid/store';
import { createTestNetwork, createUser, devSpecJson, publishKeystone, type TestNetwork } from '@hemid/testkit';

/** One thing that a node is told. */
export type Step = { bitcoin: Uint8Array[] } | { block: SealedBlock } | { tip: true };

/**
 * Two branches of L2 blocks on two branches of Bitcoin, with a deposit, a published keystone, contracts and storage: what
 * a verifier is told, in its order. It ends on the second branch.
 */
export interface Scene {
  network: TestNetwork;
  /** Both branches have these. */
  past: Step[];
  /** The first branch, then the second one, which replaces it. */
  story: Step[];
}

async function sequencerOn({ spec, bitcoin, clock }: TestNetwork, store: Store): Promise<Node> {
  const onFailure = (error: unknown): void => {
    throw error;
  };
  const role = { kind: 'sequencer', key: new Secret(devKey('sequencer').secret) } as const;
  return createNode({ spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure }, { bitcoinPollMs: 1000, role });
}

/** Bodies that nobody was told of yet, from a block down to one that was. */
function newBodies(node: Node, told: Set<string>): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (let hash = node.headers.best().hash; ; ) {
    const raw = node.blocks.readRaw(hash);
    if (raw === undefined || told.has(toDigits(hash))) return bodies;
    told.add(toDigits(hash));
    bodies.unshift(raw);
    hash = decodeBitcoinHeader(raw.subarray(0, 80)).previous;
  }
}

/** Plays the scene on a network of its own. */
export async function playScene(): Promise<Scene> {
  const network = await createTestNetwork();
  const { sequencer, bitcoin, clock, spec } = network;
  const rival = await sequencerOn(network, await openMemoryStore());
  const told = new Set<string>();
  const steps: Step[] = [];
  const take = (node: Node, block: SealedBlock): void => void steps.push({ bitcoin: newBodies(node, told) }, { block });

  async function buildRival(): Promise<SealedBlock> {
    await clock.advance(spec.genesis.blockTime * 1000);
    await rival.bitcoinSync.pull();
    await rival.settled();
    const block = await rival.duty?.tick();
    await rival.settled();
    if (block === undefined) throw new Error('the rival built no block in this slot');
    return block;
  }

  // A contract that keeps what it is sent, and a keystone that Bitcoin carries.
  const user = createUser(sequencer.node, 0);
  const probe = await user.deploy(bitcoinProbe);
  for (let i = 0; i < spec.genesis.keystonePeriod; i += 1) {
    if (i % 8 === 0) await user.send({ to: `0x${(i + 1).toString(16).padStart(40, '0')}`, value: 10n ** 15n });
    take(sequencer.node, await sequencer.build());
  }
  for (const step of steps) if ('block' in step) await rival.chain.import(step.block);
  await publishKeystone(bitcoin.wallet, sequencer.node.chain.keystone(sequencer.node.chain.head('latest')));
  const past = steps.splice(0);

  // The first branch credits a deposit, on Bitcoin blocks of which the last three go away.
  await bitcoin.wallet.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 1_000_000n },
      { to: concat(Uint8Array.of(0x6a, 23), fromHex(probe), fromHex('0xc0ffee')), valueSats: 0n },
    ],
  });
  await bitcoin.mineBlocks(7);
  take(sequencer.node, await sequencer.build());
  await user.send({ to: user.address, value: 1n });
  take(sequencer.node, await sequencer.build());

  await bitcoin.reorg(3);
  const other = createUser(rival, 1);
  await other.send({ to: probe, value: 5n });
  take(rival, await buildRival());
  await other.send({ to: '0x00000000000000000000000000000000000000aa', value: 7n });
  take(rival, await buildRival());
  take(rival, await buildRival());
  steps.push({ tip: true });
  return { network, past, story: steps };
}

/** A verifier over a store; it hears nothing but steps. */
export function openVerifier({ network }: Scene, store: Store): Promise<Node> {
  return openDbNode(network.spec, store, { clock: systemClock });
}

/** Tells a node steps, in order. */
export async function tell(node: Node, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if ('bitcoin' in step) {
      await node.headers.add(step.bitcoin.map((raw) => raw.slice(0, 80)));
      await node.blocks.keepAll(step.bitcoin.filter((raw) => !node.blocks.has(hashBitcoinHeader(raw.subarray(0, 80)))));
    } else if ('block' in step) await node.chain.import(step.block);
    else await node.finality.onBitcoinTip();
    await node.settled();
  }
}

/** Another store with the same rows. */
export async function copyInto(target: Store, source: Store): Promise<Store> {
  const batch = target.batch();
  for (const table of Object.values(layout) as Table<unknown, unknown>[]) {
    for await (const [key, value] of source.range(table)) batch.put(table, key, value);
  }
  await batch.commit();
  return target;
}

/** Writes the scene's chain spec, as the file that `hemid dev` leaves in its data directory. */
export async function writeChainSpec({ network }: Scene, path: string): Promise<void> {
  const { bitcoin, spec } = network;
  const json = (await devSpecJson(bitcoin.rpc, spec.genesis.time)) as { genesis: { bitcoin: object } };
  const { genesisHeight, genesisHeader, headersBefore } = spec.genesis.bitcoin;
  json.genesis.bitcoin = { ...json.genesis.bitcoin, genesisHeight, genesisHeader: toHex(genesisHeader), headersBefore: headersBefore.map(toHex) };
  writeFileSync(join(path, 'chain.json'), JSON.stringify(json));
}
