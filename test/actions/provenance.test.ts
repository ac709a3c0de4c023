import { isKeystone, type PlacedL2Header } from '@hemid/chain';
import { createProvenanceDeps, createRpcDeps, devVaultScript, tellProvenance } from '@hemid/node';
import { concat, fromDisplay, fromHex, HISTORY_ADDRESS, isHemidError, parseChainSpec, toHex } from '@hemid/protocol';
import {
  type BuiltProof,
  buildProof,
  decodeProof,
  encodeProof,
  type Proof,
  type Provenance,
  proofFromJson,
  type SubjectId,
  verifyProof,
} from '@hemid/provenance';
import { createLimits, createRpcContext, invoke } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import { createTestNetwork, createUser, devSpecJson, publishKeystone, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SOMEONE = '0x00000000000000000000000000000000000000aa';

let network: TestNetwork;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

/** Pays the vault; @returns the txid in display order. */
async function deposit(): Promise<string> {
  const name = concat(Uint8Array.of(0x6a, 20), fromHex(SOMEONE));
  const { txid } = await network.bitcoin.wallet.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 1_000_000n },
      { to: name, valueSats: 0n },
    ],
  });
  return txid;
}

/** Builds up to the next keystone and publishes it. */
async function publishNext(): Promise<void> {
  const { sequencer, bitcoin, spec } = network;
  do await sequencer.build();
  while (!isKeystone(spec, sequencer.node.chain.head('latest').header.number));
  await publishKeystone(bitcoin.wallet, sequencer.node.chain.keystone(sequencer.node.chain.head('latest')));
}

/** Mines blocks that the sequencer sees. */
async function confirm(blocks: number): Promise<void> {
  await network.bitcoin.mineBlocks(blocks);
  await network.sequencer.look();
}

const build = (id: SubjectId, checkpointHeight?: number): Promise<BuiltProof> =>
  buildProof(createProvenanceDeps(network.sequencer.node), id, { checkpointHeight });

async function prove(id: SubjectId, checkpointHeight?: number): Promise<Proof> {
  const { proof, missing } = await build(id, checkpointHeight);
  expect(missing).toBeUndefined();
  return proof as Proof;
}

/** A Bitcoin block that a reader of the proof trusts. */
async function checkpointAt(height: number) {
  return { height, hash: fromDisplay((await network.bitcoin.rpc('getblockhash', [height])) as string) };
}

/** Through the file, as somebody else would check it. */
async function verify(proof: Proof, height: number, confirmations?: number) {
  return verifyProof(decodeProof(encodeProof(proof)), { spec: network.spec, checkpoint: await checkpointAt(height), confirmations });
}

/** The headings of the story, times left out. */
const headingsOf = (told: Provenance): string[] =>
  tellProvenance(told)
    .split('\n')
    .filter((line) => /^\d\. /.test(line))
    .map((line) => line.replace(/20\d\d-[0-9: -]+ UTC/, 'TIME'));

const id = (txid: string): SubjectId => ({ hash: fromHex(txid) });

test('a deposit is followed from its lock to its anchor, and the file proves it to somebody without a node', async () => {
  const { bitcoin, sequencer } = network;
  const txid = await deposit();
  await confirm(1);
  const lockedAt = await bitcoin.height();
  await expect(build(id(txid))).rejects.toThrow('no deposit goes by that name');
  await confirm(3);
  await sequencer.build();
  const early = await build(id(txid));
  expect(early.provenance.lock).toMatchObject({ txid, height: lockedAt, confirmations: 4, sats: 998_000, recipient: SOMEONE });
  expect(early.missing).toContain(`once the L2 chain sees Bitcoin block ${lockedAt + 5}, and it sees block ${lockedAt + 3} now`);

  await confirm(2);
  const credited = await sequencer.build();
  expect((await build(id(txid))).missing).toMatch(/keystone 5 above block \d is not built yet/);
  await publishNext();
  const unpublished = await build(id(txid));
  expect(unpublished.missing).toMatch(/keystone 5 .* is not published in Bitcoin yet/);
  expect(headingsOf(unpublished.provenance)).toEqual([
    `1. locked in Bitcoin block ${lockedAt}, TIME, 6 confirmations`,
    `2. credited in L2 block ${credited.block.header.number}, TIME, not anchored in Bitcoin yet`,
    '3. held by the state of keystone block 5, TIME, not anchored in Bitcoin yet',
  ]);
  await confirm(11);

  const proof = await prove(id(txid));
  const proven = await verify(proof, lockedAt);
  expect(proven.subject).toEqual({ kind: 'deposit', id: txid });
  expect(proven.lock).toMatchObject({ txid, vout: 0, height: lockedAt, sats: 998_000, recipient: SOMEONE, confirmations: 17, credit: 'paid' });
  expect(proven.block).toMatchObject({ number: Number(credited.block.header.number), hash: toHex(credited.hash) });
  expect(proven.transaction).toMatchObject({ index: 1, succeeded: true });
  expect(proven.keystone).toMatchObject({ number: 5, sealedBy: toHex(network.spec.genesis.sequencers[0]?.signer as Uint8Array) });
  expect(proven.anchor).toMatchObject({ height: lockedAt + 6, confirmations: 10 });
  expect(proven.bitcoin.tip.height).toBe(lockedAt + 16);
  expect(proven.doesNotProve.join()).toContain('executed correctly');
  expect(proven).toEqual((await build(id(txid))).provenance);
  // The transaction that credits it is another name of the deposit.
  const asTransaction = await build(id(proven.transaction?.hash ?? ''));
  expect(asTransaction.proof).toEqual(proof);
  // A verifier's node builds the same file.
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect((await buildProof(createProvenanceDeps(verifier.node), id(txid))).proof).toEqual(proof);
});

test('a deposit whose recipient refuses the coins is proven to be claimable', async () => {
  const { bitcoin, sequencer } = network;
  const user = createUser(sequencer.node, 0);
  const refuser = await user.deploy({ abi: [], bytecode: '0x6460006000fd6000526005601bf3' });
  await sequencer.build();
  const { txid } = await bitcoin.wallet.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 1_000_000n },
      { to: concat(Uint8Array.of(0x6a, 20), fromHex(refuser)), valueSats: 0n },
    ],
  });
  await confirm(6);
  await publishNext();
  await confirm(1);
  expect((await build(id(txid))).provenance.lock?.credit).toBe('claimable');
});

test('a transaction and a block are proven from the keystone that stands above them, also a keystone block itself', async () => {
  const { bitcoin, sequencer } = network;
  await confirm(1);
  const user = createUser(sequencer.node, 0);
  const hash = await user.send({ to: SOMEONE, value: 5n });
  const at = await sequencer.build();
  await publishNext();
  await confirm(1);
  await publishNext();
  await confirm(12);
  const transaction = await verify(await prove(id(hash)), await bitcoin.height(), 10);
  expect(transaction.subject).toEqual({ kind: 'transaction', id: hash });
  expect(transaction).toMatchObject({ block: { hash: toHex(at.hash) }, transaction: { hash, succeeded: true }, keystone: { number: 5 } });
  expect(transaction.lock).toBeUndefined();
  const keystoneBlock = await verify(await prove({ number: 5n }), await bitcoin.height());
  expect(keystoneBlock.subject).toEqual({ kind: 'block', id: toHex(sequencer.node.chain.headerAt(5n)?.hash as Uint8Array) });
  expect(keystoneBlock.keystone.number).toBe(10);
  expect(headingsOf(transaction)[0]).toBe(`1. executed in L2 block ${at.block.header.number}, TIME, 12 confirmations by its anchor`);
  expect(headingsOf(keystoneBlock)).toEqual([
    '1. L2 block 5, TIME, 11 confirmations by its anchor',
    '2. held by the state of keystone block 10, TIME, 11 confirmations by its anchor',
    `3. anchored in Bitcoin block ${keystoneBlock.anchor.height}, TIME, 11 confirmations`,
    `4. counted up to Bitcoin block ${await bitcoin.height()}, TIME`,
  ]);
  const genesis = await verify(await prove({ number: 0n }), await bitcoin.height());
  expect(genesis).toMatchObject({ block: { number: 0 }, keystone: { number: 5 } });
  expect((await build({ number: 10n })).missing).toBe('keystone 15 above block 10 is not built yet');
  await expect(build({ number: 99n })).rejects.toThrow('there is no block 99 yet');
});

/** The code of the link that does not hold. */
async function brokenLink(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (isHemidError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

test('a proof fails with its reason for another chain, another checkpoint, or too few confirmations', async () => {
  const { bitcoin, spec } = network;
  const genesisHeight = await bitcoin.height();
  await bitcoin.mineBlocks(20);
  const txid = await deposit();
  await confirm(6);
  await publishNext();
  await confirm(6);
  const proof = await prove(id(txid));
  const height = await bitcoin.height();
  const lockedAt = height - 11;
  await verify(proof, lockedAt, 5);
  expect(await brokenLink(() => verify(proof, lockedAt))).toBe('provenance/anchor: anchor: the publication has 5 confirmations, 10 are asked for');

  const otherSpec = parseChainSpec(await devSpecJson(bitcoin.rpc, 1_700_000_000));
  const checkpoint = await checkpointAt(lockedAt);
  expect(await brokenLink(() => verifyProof(proof, { spec: otherSpec, checkpoint, confirmations: 0 }))).toMatch(/^provenance\/spec: /);
  const another = { height: lockedAt, hash: (await checkpointAt(lockedAt + 1)).hash };
  expect(await brokenLink(() => verifyProof(proof, { spec, checkpoint: another, confirmations: 0 }))).toMatch(
    /^provenance\/bitcoin: .* not the checkpoint$/,
  );
  expect(await brokenLink(() => verify(proof, genesisHeight - 1, 0))).toMatch(/^provenance\/bitcoin: .* below the hVM genesis, 110$/);
  expect(await brokenLink(() => verify(proof, genesisHeight, 0))).toMatch(/^provenance\/bitcoin: .* not over the checkpoint/);
  expect(await brokenLink(() => verify(proof, lockedAt - 1, 0))).toMatch(/^provenance\/bitcoin: .*must start at/);
  // Made for an earlier checkpoint, it serves every later one too.
  const longer = await prove(id(txid), lockedAt - 1);
  expect((await verify(longer, lockedAt - 1, 0)).subject.id).toBe(txid);
  expect((await verify(longer, height, 0)).subject.id).toBe(txid);
  // A checkpoint above the lock is served too: what is below it is bound to it by hashes.
  expect((await verify(await prove(id(txid), lockedAt + 1), lockedAt + 1, 0)).subject.id).toBe(txid);
  expect(await brokenLink(() => build(id(txid), genesisHeight - 1))).toMatch(/^provenance\/checkpoint: .*choose one from block 110 to \d+$/);
  expect(await brokenLink(() => build(id(txid), height + 1))).toMatch(
    new RegExp(`^provenance/checkpoint: .*choose one from block 110 to ${height}$`),
  );
});

test('far below the tip a proof holds as many Bitcoin headers as it may, and says from where it can be checked', async () => {
  const { bitcoin } = network;
  await bitcoin.mineBlocks(40);
  const txid = await deposit();
  await confirm(6);
  const lockedAt = (await bitcoin.height()) - 5;
  await publishNext();
  await confirm(60);
  const most = (checkpointHeight?: number, maxHeaders = 40) =>
    buildProof(createProvenanceDeps(network.sequencer.node), id(txid), { checkpointHeight, maxHeaders });
  const { proof } = await most();
  const last = lockedAt - 10 + 39;
  expect((proof as Proof).bitcoin).toMatchObject({ height: lockedAt - 10, tip: (await checkpointAt(last)).hash });
  // The publication stands six blocks above the lock.
  expect((await verify(proof as Proof, lockedAt)).anchor.confirmations).toBe(last - lockedAt - 6);

  const height = await bitcoin.height();
  const refused = await brokenLink(() => most(height));
  expect(refused).toMatch(
    /^provenance\/checkpoint: Bitcoin block \d+ cannot be the checkpoint of this proof, which has at most 40 headers: choose one/,
  );
  const [from, to] = (/from block (\d+) to (\d+)$/.exec(refused) ?? []).slice(1).map(Number) as [number, number];
  for (const end of [from, to]) expect((await verify((await most(end)).proof as Proof, end)).subject.id).toBe(txid);
  for (const beyond of [from - 1, to + 1])
    expect(await brokenLink(() => most(beyond))).toBe(refused.replace(/block \d+ cannot/, `block ${beyond} cannot`));
  expect(await brokenLink(() => most(undefined, 10))).toMatch(
    new RegExp(
      `^provenance/checkpoint: what is proven reaches from Bitcoin block ${lockedAt} to ${lockedAt + 16}: no proof has more than 10 headers$`,
    ),
  );
});

test('a node that keeps the state of two blocks proves what is far below them', async () => {
  const { bitcoin } = network;
  const pruned = await network.createVerifier(bitcoin.rpc, { stateWindow: 2 });
  const txid = await deposit();
  await confirm(6);
  await publishNext();
  await network.sequencer.build(10);
  await confirm(11);
  await pruned.sync();
  const { chain } = pruned.node;
  const [keystone, deps] = [chain.headerAt(5n), createProvenanceDeps(pruned.node)];
  await expect(async () => chain.stateAt(keystone as PlacedL2Header).proof(HISTORY_ADDRESS, [])).rejects.toThrow('is not kept any more');
  const { proof } = await buildProof(deps, id(txid));
  expect(encodeProof(proof as Proof)).toBe(encodeProof(await prove(id(txid))));
  expect((await verify(proof as Proof, await bitcoin.height())).keystone.number).toBe(5);
});

test('when Bitcoin drops the block of the publication, the anchor of before is not in the headers of now', async () => {
  const { bitcoin, sequencer } = network;
  const txid = await deposit();
  await confirm(6);
  await publishNext();
  await confirm(2);
  const before = await prove(id(txid));
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [before.anchor.height])]);
  await bitcoin.mine({ count: 1, address: bitcoin.wallet.addresses.p2pkh });
  await bitcoin.mineBlocks(3);
  await sequencer.look();
  const after = await prove(id(txid));
  expect((await verify(after, after.anchor.height, 0)).anchor.confirmations).toBe(3);
  expect(await brokenLink(() => verify({ ...after, anchor: before.anchor }, after.anchor.height, 0))).toMatch(
    /^provenance\/anchor: anchor: the transaction is not in the Bitcoin block at height \d+ of these headers$/,
  );
  expect(await brokenLink(() => verify({ ...before, bitcoin: { ...before.bitcoin, tip: after.bitcoin.tip } }, after.anchor.height, 0))).toMatch(
    /^provenance\/bitcoin: /,
  );
});

test('a deposit that was credited from a Bitcoin block which is gone has no proof', async () => {
  const { bitcoin, sequencer } = network;
  const txid = await deposit();
  await confirm(6);
  const { block } = await sequencer.build();
  await bitcoin.reorg(1);
  await publishNext();
  await confirm(2);
  const { provenance, proof, missing } = await build(id(txid));
  expect(provenance).toMatchObject({ subject: { kind: 'deposit', id: txid }, block: { number: Number(block.header.number) } });
  expect(proof).toBeUndefined();
  expect(missing).toBe(`lock: the Bitcoin block that block ${block.header.number} is built on is not among the Bitcoin headers`);
});

test('a keystone that was published too late does not count, and a later one anchors the deposit', async () => {
  const { bitcoin, sequencer, spec } = network;
  const { chain, finality } = sequencer.node;
  const txid = await deposit();
  await confirm(6);
  do await sequencer.build();
  while (!isKeystone(spec, chain.head('latest').header.number));
  const keystone = chain.head('latest');
  await bitcoin.mineBlocks(144);
  const late = await publishKeystone(bitcoin.wallet, chain.keystone(keystone));
  await confirm(1);
  expect((await build(id(txid))).missing).toMatch(/is not published in Bitcoin yet/);

  // A node that takes it to count notices that its proof does not hold.
  const height = await bitcoin.height();
  const blockHash = fromDisplay((await bitcoin.rpc('getblockhash', [height])) as string);
  const publication = { height, blockHash, txIndex: 1, vout: 0, txid: fromDisplay(late), miner: undefined };
  const deps = { ...createProvenanceDeps(sequencer.node), finality: { of: async () => ({ best: { keystone, publication } }) } };
  expect((await buildProof(deps, id(txid))).missing).toMatch(
    new RegExp(`^anchor: the publication at height ${height} does not count: keystone 5 sees Bitcoin up to height ${height - 145},`),
  );

  await publishNext();
  await confirm(2);
  const proven = await verify(await prove(id(txid)), height - 150, 0);
  expect(proven.keystone.number).toBe(10);
  expect((await finality.of(keystone)).best?.keystone.header.number).toBe(10n);
});

test('a proof fails where a chain spec asks for something else than the chain did', async () => {
  const { spec, bitcoin } = network;
  const txid = await deposit();
  await confirm(6);
  await publishNext();
  await confirm(2);
  const proof = await prove(id(txid));
  const checkpoint = await checkpointAt(await bitcoin.height());
  const { genesis } = spec;
  const under = (change: object): Promise<string> =>
    brokenLink(() => verifyProof(proof, { spec: { ...spec, genesis: { ...genesis, ...change } }, checkpoint, confirmations: 0 }));
  expect(await under({})).toBe('nothing');
  expect(await under({ tunnel: { ...genesis.tunnel, confirmations: 7 } })).toMatch(
    /lock: block \d credits the deposit after 6 confirmations, 7 are needed/,
  );
  expect(await under({ tunnel: { ...genesis.tunnel, vault: bitcoin.wallet.addresses.p2tr } })).toMatch(
    /lock: .* no deposit to a vault of this chain/,
  );
  const limits = { ...genesis.tunnel.limits, depositFeeSats: 1n };
  expect(await under({ tunnel: { ...genesis.tunnel, limits } })).toMatch(/lock: .* does not credit this deposit/);
  expect(await under({ sequencers: [{ signer: fromHex(SOMEONE), feeRecipient: fromHex(SOMEONE) }] })).toMatch(/^provenance\/seal: /);
  expect(await under({ chainId: genesis.chainId + 1 })).toMatch(/^provenance\/seal: /);
  expect(await under({ keystonePeriod: 4 })).toMatch(/^provenance\/block: .* is not a keystone's/);
});

test('the RPC gives links, what is missing, and a proof in the form of the file', async () => {
  const { clock, sequencer } = network;
  const txid = await deposit();
  await confirm(6);
  await sequencer.build();
  const context = createRpcContext(createRpcDeps(sequencer.node, { clock, log: silentLogger }), createLimits({ rpcCheckAnswers: true }));
  const ask = (...params: unknown[]): Promise<unknown> => invoke('hemi_getProvenance', params, context);
  const missing = expect.stringContaining('is not built yet');
  expect(await ask(txid)).toMatchObject({ subject: { kind: 'deposit', id: txid }, lock: { txid }, proof: null, missing });
  await expect(ask('0x12', -1)).rejects.toThrow('invalid argument 1 (checkpoint)');
  await expect(ask('deposit')).rejects.toThrow('invalid argument 0 (id): must be the hash of');
  await expect(ask('withdrawal:')).rejects.toThrow('invalid argument 0 (id): must be the hash of');
  await expect(ask('withdrawal:1')).rejects.toThrow('there is no withdrawal 1: ids count from 1');
  await publishNext();
  await confirm(2);
  const answer = (await ask(txid)) as { proof: unknown; missing: null };
  expect(answer.missing).toBeNull();
  expect(encodeProof(proofFromJson(answer.proof))).toBe(encodeProof(await prove(id(txid))));
  context.close();
});
