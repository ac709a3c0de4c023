import { isKeystone } from '@hemid/chain';
import { createProvenanceDeps, devVaultScript } from '@hemid/node';
import { type BitcoinTip, type ChainSpec, concat, fromDisplay, fromHex, toHex } from '@hemid/protocol';
import { buildProof, type Proof, type SubjectId } from '@hemid/provenance';
import { batchMark, createTestNetwork, createUser, createVaultActor, devSpecJson, publishKeystone } from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';
import { requestWithdrawal } from '../custodian-scene.ts';

/** Proofs of a chain that stands still, and what to check them with. */
export interface ProvenanceScene {
  spec: ChainSpec;
  specJson: unknown;
  /** It serves every proof. */
  checkpoint: BitcoinTip;
  /** Of a deposit, in a block with several others; its keystone is the second. */
  deposit: Proof;
  transaction: Proof;
  block: Proof;
  /** Of the second withdrawal of a batch of two. */
  withdrawal: Proof;
}

const PAYEE = fromHex(`0x0014${'cc'.repeat(20)}`);
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
  const vault = createVaultActor(bitcoin);
  const user = createUser(sequencer.node, 0);
  const deposits: Transaction[] = [];
  for (let i = 0; i < 3; i += 1) {
    const outputs = [
      { to: devVaultScript(), valueSats: 1_000_000n + BigInt(i) },
      { to: RECIPIENT, valueSats: 0n },
    ];
    deposits.push((await bitcoin.wallet.pay({ outputs })).tx);
  }
  await bitcoin.mineBlocks(6);
  const hash = await user.send({ to: toHex(fromHex('bb'.repeat(20))), value: 1n });
  await buildKeystone();
  await bitcoin.mineBlocks(11);
  await sequencer.look();
  const tip = await bitcoin.height();
  const proofs = {
    deposit: await prove({ hash: fromHex((deposits[1] as Transaction).getId()) }),
    transaction: await prove({ hash: fromHex(hash) }),
    block: await prove({ number: 7n }),
  };

  for (const sats of [100_000n, 60_000n]) await requestWithdrawal(user, PAYEE, sats);
  await buildKeystone();
  await bitcoin.mineBlocks(11);
  await vault.spend({
    inputs: [vault.coinOf(deposits[0] as Transaction, 0)],
    outputs: [{ to: PAYEE, valueSats: 97_000n }, { to: PAYEE, valueSats: 57_000n }, { to: vault.script, valueSats: 840_000n }, batchMark(1, 2)],
  });
  await bitcoin.mineBlocks(6);
  await buildKeystone();
  await bitcoin.mineBlocks(11);
  await sequencer.look();
  const scene = {
    spec,
    specJson,
    checkpoint: { height: tip, hash: fromDisplay((await bitcoin.rpc('getblockhash', [tip])) as string) },
    ...proofs,
    withdrawal: await prove({ withdrawal: 2n }),
  };
  await network.close();
  return scene;
}
