import { isKeystone } from '@hemid/chain';
import { createProvenanceDeps, devVaultScript } from '@hemid/node';
import { type BitcoinTip, type ChainSpec, concat, fromDisplay, fromHex, toHex } from '@hemid/protocol';
import { buildProof, type Proof, type SubjectId } from '@hemid/provenance';
import { createTestNetwork, createUser, devSpecJson, publishKeystone } from '@hemid/testkit';

/** Proofs of a chain that stands still, and what to check them with. */
export interface ProvenanceScene {
  spec: ChainSpec;
  specJson: unknown;
  /** At the tip: it serves every proof. */
  checkpoint: BitcoinTip;
  /** Of a deposit, in a block with several others; its keystone is the second. */
  deposit: Proof;
  transaction: Proof;
  block: Proof;
}

const RECIPIENT = concat(Uint8Array.of(0x6a, 20), fromHex('aa'.repeat(20)));

/** Plays it on an embedded Bitcoin. */
export async function playProvenanceScene(): Promise<ProvenanceScene> {
  const network = await createTestNetwork();
  const { bitcoin, sequencer, spec } = network;
  const { chain } = sequencer.node;
  const specJson = await devSpecJson(bitcoin.rpc, spec.genesis.time);

  async function buildKeystone(): Promise<void> {
    do await sequencer.build();
    while (!isKeystone(spec, chain.head('latest').header.number));
    await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
  }

  async function prove(id: SubjectId): Promise<Proof> {
    const { proof, missing } = await buildProof(createProvenanceDeps(sequencer.node), id);
    if (proof === undefined) throw new Error(missing);
    return proof;
  }

  await bitcoin.mineBlocks(1);
  await buildKeystone();
  const txids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const outputs = [
      { to: devVaultScript(), valueSats: 1_000_000n + BigInt(i) },
      { to: RECIPIENT, valueSats: 0n },
    ];
    txids.push((await bitcoin.wallet.pay({ outputs })).txid);
  }
  await bitcoin.mineBlocks(6);
  const hash = await createUser(sequencer.node, 0).send({ to: toHex(fromHex('bb'.repeat(20))), value: 1n });
  await buildKeystone();
  await bitcoin.mineBlocks(11);
  await sequencer.look();
  const tip = await bitcoin.height();
  const scene = {
    spec,
    specJson,
    checkpoint: { height: tip, hash: fromDisplay((await bitcoin.rpc('getblockhash', [tip])) as string) },
    deposit: await prove({ hash: fromHex(txids[1] as string) }),
    transaction: await prove({ hash: fromHex(hash) }),
    block: await prove({ number: 7n }),
  };
  await network.close();
  return scene;
}
