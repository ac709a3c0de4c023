import { isKeystone } from '@hemid/chain';
import { tunnel } from '@hemid/contracts';
import { createProvenanceDeps, tellProvenance } from '@hemid/node';
import { fromDisplay, fromHex, type Hex, isHemidError, scriptToAddress, TUNNEL_ADDRESS, toDigits, toHex, WEI_PER_SAT } from '@hemid/protocol';
import {
  type BuiltProof,
  buildProof,
  decodeProof,
  encodeProof,
  type Proof,
  type SubjectId,
  verifyProof,
  type WithdrawalPart,
  type WithdrawalState,
} from '@hemid/provenance';
import {
  batchMark,
  createTestNetwork,
  createUser,
  createVaultActor,
  publishKeystone,
  type TestNetwork,
  type User,
  type VaultActor,
  type WalletCoin,
} from '@hemid/testkit';
import { encodeFunctionData } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requestWithdrawal } from '../custodian-scene.ts';

const PAYEE = fromHex(`0x0014${'ab'.repeat(20)}`);
const OTHER = fromHex(`0x0014${'cd'.repeat(20)}`);
const FEE = 3_000n;

let network: TestNetwork;
let vault: VaultActor;
let user: User;
let coin: WalletCoin;
beforeEach(async () => {
  network = await createTestNetwork();
  vault = createVaultActor(network.bitcoin);
  user = createUser(network.sequencer.node, 0);
  ({ coin } = await vault.deposit(fromHex(user.address), 1_000_000n));
  await network.bitcoin.mineBlocks(6);
  await network.sequencer.build();
});
afterEach(() => network.close());

/** Builds up to the next keystone, publishes it, and mines. */
async function anchor(blocks: number): Promise<void> {
  const { sequencer, bitcoin, spec } = network;
  const { chain } = sequencer.node;
  do await sequencer.build();
  while (!isKeystone(spec, chain.head('latest').header.number));
  await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
  await bitcoin.mineBlocks(blocks);
  await sequencer.look();
}

/** Pays 100,000 sats to PAYEE and 60,000 to OTHER, less the fee. */
async function pay(): Promise<string> {
  const { txid } = await vault.spend({
    inputs: [coin],
    outputs: [
      { to: PAYEE, valueSats: 100_000n - FEE },
      { to: OTHER, valueSats: 60_000n - FEE },
      { to: vault.script, valueSats: 840_000n },
      batchMark(1, 2),
    ],
  });
  return txid;
}

/** Both withdrawals, requested in one block; @returns the hashes of their transactions. */
async function request(): Promise<[Hex, Hex]> {
  const hashes: [Hex, Hex] = [await requestWithdrawal(user, PAYEE, 100_000n), await requestWithdrawal(user, OTHER, 60_000n)];
  await network.sequencer.build();
  return hashes;
}

/** All there is: both withdrawals are requested, anchored, paid, settled, and anchored again. */
async function play(): Promise<[Hex, Hex]> {
  const hashes = await request();
  await anchor(11);
  await pay();
  await network.bitcoin.mineBlocks(6);
  await anchor(11);
  return hashes;
}

const build = (id: SubjectId): Promise<BuiltProof> => buildProof(createProvenanceDeps(network.sequencer.node), id);

async function prove(id: SubjectId): Promise<Proof> {
  const { proof, missing } = await build(id);
  expect(missing).toBeUndefined();
  return proof as Proof;
}

/** What a node finds wrong that takes a Bitcoin transaction for the one that settled a withdrawal. */
async function asSettledBy(id: bigint, txid: string): Promise<string | undefined> {
  const deps = createProvenanceDeps(network.sequencer.node);
  const state = { ...(await deps.tunnel.withdrawal(id)), status: 'settled', settledBy: fromDisplay(txid) } as WithdrawalState;
  return (await buildProof({ ...deps, tunnel: { withdrawal: async () => state } }, { withdrawal: id })).missing;
}

async function checkpointAt(height: number) {
  return { height, hash: fromDisplay((await network.bitcoin.rpc('getblockhash', [height])) as string) };
}

test('a withdrawal is followed from its request over its payment to the block that settles it, and the file proves it', async () => {
  const { bitcoin, sequencer, spec } = network;
  const byId = { withdrawal: 2n };
  await expect(build(byId)).rejects.toThrow('there is no withdrawal 2: ids count from 1');
  const [, hash] = await request();
  const waiting = await build(byId);
  expect(waiting.provenance).toMatchObject({ subject: { kind: 'withdrawal', id: '2' }, withdrawal: { id: 2, sats: 60_000, feeSats: 3_000 } });
  expect(waiting.missing).toBe('keystone 5 above block 2 is not built yet');
  await anchor(3);
  const asked = await build(byId);
  expect(asked.missing).toBe('withdrawal 2 is not paid yet: its block is not final');
  expect(asked.provenance).toMatchObject({ block: { number: 2 }, keystone: { number: 5 }, anchor: { confirmations: 2 } });
  // Until it is settled its transaction proves the request, and says what it asks for.
  const transaction = await prove({ hash: fromHex(hash) });
  const requested = verifyProof(transaction, { spec, checkpoint: await checkpointAt(await bitcoin.height()), confirmations: 2 });
  const link = { id: 2, sats: 60_000, feeSats: 3_000, script: toHex(OTHER), address: scriptToAddress(OTHER, 'regtest') };
  expect(requested.transaction?.requests).toEqual([link]);
  expect(requested.subject.kind).toBe('transaction');

  await bitcoin.mineBlocks(8);
  await sequencer.look();
  expect((await build(byId)).missing).toBe(
    'withdrawal 2 is not settled yet: its block is final and 1 requested earlier are paid before it; a payment is settled once it has 6 confirmations',
  );
  const txid = await pay();
  await bitcoin.mineBlocks(6);
  const paidAt = (await bitcoin.height()) - 5;
  await sequencer.build();
  const settled = await build(byId);
  expect(settled.missing).toBe('keystone 10 above block 6 is not built yet');
  expect(settled.provenance).toMatchObject({ payment: { txid, vout: 1, confirmations: 6 }, settlement: { block: { number: 6 } } });
  await anchor(11);

  const proof = await prove(byId);
  const checkpoint = await checkpointAt(proof.bitcoin.height + 10);
  const proven = verifyProof(decodeProof(encodeProof(proof)), { spec, checkpoint });
  expect(proven).toEqual((await build(byId)).provenance);
  expect(proven.subject).toEqual({ kind: 'withdrawal', id: '2' });
  expect(proven.withdrawal).toEqual(link);
  expect(proven.anchor.confirmations).toBe(27);
  expect(proven.payment).toMatchObject({ txid, vout: 1, sats: 57_000, height: paidAt, confirmations: 17, anchorConfirmations: 10 });
  expect(proven.settlement).toMatchObject({
    block: { number: 6 },
    transaction: { index: 1, succeeded: true },
    keystone: { number: 10 },
    anchor: { confirmations: 10 },
  });
  expect(proven.doesNotProve.join()).toContain('that the payment spends outputs of the vault');
  const story = tellProvenance(proven);
  expect(
    story
      .split('\n')
      .filter((line) => /^\d\./.test(line))
      .map((line) => line.replace(/ 2027-[0-9: -]+ UTC/, ' TIME')),
  ).toEqual([
    '1. requested in L2 block 2, TIME, 27 confirmations by its anchor',
    '2. held by the state of keystone block 5, TIME, 27 confirmations by its anchor',
    `3. anchored in Bitcoin block ${paidAt - 11}, TIME, 27 confirmations`,
    `4. paid in Bitcoin block ${paidAt}, TIME, 17 confirmations`,
    '5. settled in L2 block 6, TIME, 10 confirmations by its anchor',
    '6. held by the state of keystone block 10, TIME, 10 confirmations by its anchor',
    `7. anchored in Bitcoin block ${paidAt + 6}, TIME, 10 confirmations`,
    `8. counted up to Bitcoin block ${paidAt + 16}, TIME`,
  ]);
  expect(story).toContain(`   60,000 sats for ${link.address}, 3,000 sats of them for the Bitcoin fee\n`);
  expect(story).toContain(`   transaction ${txid}, output 1, pays 57,000 sats\n   when the anchor of the request had 10 confirmations\n`);
  // Its transaction is another name of it now; a verifier's node builds the same file.
  expect((await build({ hash: fromHex(hash) })).proof).toEqual(proof);
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect((await buildProof(createProvenanceDeps(verifier.node), byId)).proof).toEqual(proof);
});

test('parts of other proofs do not make the proof of a withdrawal', async () => {
  const { bitcoin, spec } = network;
  await play();
  const [one, two] = [await prove({ withdrawal: 1n }), await prove({ withdrawal: 2n })];
  const part = two.withdrawal as WithdrawalPart;
  const checkpoint = await checkpointAt(await bitcoin.height());
  const judge = (proof: Proof, change: object = {}): string => {
    try {
      verifyProof(proof, { spec: { ...spec, genesis: { ...spec.genesis, ...change } }, checkpoint });
    } catch (error) {
      if (isHemidError(error)) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'it holds';
  };
  const withPart = (change: Partial<WithdrawalPart>): Proof => ({ ...two, withdrawal: { ...part, ...change } });
  expect(judge(two)).toBe('it holds');
  expect(judge(withPart({ id: 1 }))).toBe('provenance/request: request: the transaction does not request withdrawal 1');
  expect(judge({ ...one, withdrawal: part })).toBe('provenance/request: request: the transaction does not request withdrawal 2');
  expect(judge(withPart({ payment: part.settlement.anchor }))).toBe(
    'provenance/payment: payment: the Bitcoin transaction is no batch that pays withdrawal 2',
  );
  const { inclusion, ...headless } = two;
  expect(inclusion).toBeDefined();
  expect(judge(headless)).toMatch(/^provenance\/form: .*the L2 transaction that belongs to it is missing$/);
  // The block with the request, anchored and sealed, settles nothing.
  const { headers, history, seal, anchor: publication } = two;
  const unsettled = { inclusion: inclusion as WithdrawalPart['settlement']['inclusion'], headers, history, seal, anchor: publication };
  expect(judge(withPart({ settlement: unsettled }))).toMatch(
    /^provenance\/settlement: settlement: the transaction of block 2 is not about this payment$/,
  );
  expect(judge(withPart({ settlement: { ...part.settlement, seal } }))).toMatch(/^provenance\/seal: seal: keystone block 10 /);
  expect(judge(withPart({ settlement: { ...part.settlement, anchor: publication } }))).toMatch(
    /^provenance\/anchor: .* does not publish keystone 10$/,
  );
  const tunnel = { ...spec.genesis.tunnel, confirmations: 7 };
  expect(judge(two, { tunnel })).toMatch(/^provenance\/settlement: settlement: block 6 settles the payment after 6 confirmations, 7 are needed$/);
});

test('a transaction that requests two withdrawals proves itself, and each of them goes by its id', async () => {
  const { sequencer, bitcoin } = network;
  // Calls Tunnel twice with what it is called with, with half the coins each time.
  const half = `5f5f365f6002340473${toDigits(TUNNEL_ADDRESS)}5af150`;
  const address = await user.deploy({ abi: [], bytecode: `0x6045806009${'5f395ff3'}365f5f37${half}${half}00` });
  await sequencer.build();
  const data = encodeFunctionData({ abi: tunnel.abi, functionName: 'withdraw', args: [toHex(PAYEE)] });
  const hash = await user.send({ to: address, data, value: 200_000n * WEI_PER_SAT });
  await sequencer.build();
  await anchor(11);
  await vault.spend({
    inputs: [coin],
    outputs: [{ to: PAYEE, valueSats: 97_000n }, { to: PAYEE, valueSats: 97_000n }, { to: vault.script, valueSats: 800_000n }, batchMark(1, 2)],
  });
  await bitcoin.mineBlocks(6);
  await anchor(11);
  const { provenance, proof } = await build({ hash: fromHex(hash) });
  expect(provenance.subject).toEqual({ kind: 'transaction', id: hash });
  expect(provenance.transaction?.requests?.map(({ id }) => id)).toEqual([1, 2]);
  const [one, two] = [await prove({ withdrawal: 1n }), await prove({ withdrawal: 2n })];
  expect(one).toEqual({ ...two, withdrawal: { ...(two.withdrawal as WithdrawalPart), id: 1 } });
  const { withdrawal, ...request } = two;
  expect(withdrawal?.id).toBe(2);
  expect({ ...request, bitcoin: proof?.bitcoin }).toEqual(proof);
});

test('a batch that pays too little, and one that takes too much from the vault, settle nothing: a node that says so notices', async () => {
  const { bitcoin } = network;
  await request();
  await anchor(11);
  const [first, second, mark] = [{ to: PAYEE, valueSats: 97_000n }, { to: OTHER, valueSats: 57_000n }, batchMark(1, 2)];
  const short = await vault.spend({
    inputs: [coin],
    outputs: [{ ...first, valueSats: 96_999n }, second, { to: vault.script, valueSats: 840_000n }, mark],
  });
  const change = vault.coinOf(short.tx, 2);
  const greedy = await vault.spend({ inputs: [change], outputs: [first, second, { to: vault.script, valueSats: 679_999n }, mark] });
  await bitcoin.mineBlocks(6);
  await anchor(11);
  expect(await asSettledBy(1n, short.txid)).toBe('payment: output 0 does not pay 97000 sats to the script that withdrawal 1 names');
  expect(await asSettledBy(1n, greedy.txid)).toBe('settlement: the transaction of block 6 settles nothing');
  expect((await build({ withdrawal: 1n })).missing).toMatch(/^withdrawal 1 is not settled yet: its block is final and it is the next to be paid;/);
});

test('an output behind those of a batch pays no withdrawal, whatever it looks like', async () => {
  const { bitcoin } = network;
  await request();
  await anchor(11);
  const [own] = (await bitcoin.wallet.coins()) as [WalletCoin];
  const { txid } = await vault.spend({
    inputs: [coin, own],
    outputs: [
      { to: PAYEE, valueSats: 97_000n },
      { to: OTHER, valueSats: 57_000n },
      { to: vault.script, valueSats: 900_000n },
      { to: bitcoin.wallet.scripts.p2wpkh, valueSats: own.valueSats - 60_000n },
      batchMark(1, 1),
    ],
  });
  await bitcoin.mineBlocks(6);
  await anchor(11);
  expect((await build({ withdrawal: 1n })).missing).toBeUndefined();
  expect(await asSettledBy(2n, txid)).toBe('payment: the Bitcoin transaction is no batch that pays withdrawal 2');
});

test('a withdrawal whose payment was settled from a Bitcoin block that is gone has no proof', async () => {
  const { bitcoin, sequencer } = network;
  await request();
  await anchor(11);
  await pay();
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  await bitcoin.reorg(1);
  await anchor(11);
  const { provenance, proof, missing } = await build({ withdrawal: 1n });
  expect(proof).toBeUndefined();
  expect(provenance).toMatchObject({ payment: { confirmations: 18 }, settlement: { block: { number: 6 }, anchor: { confirmations: 10 } } });
  expect(missing).toBe('settlement: the Bitcoin block that block 6 is built on is not among the Bitcoin headers');

  // Deeper, and the payment itself is gone.
  await bitcoin.rpc('invalidateblock', [await bitcoin.rpc('getblockhash', [provenance.payment?.height])]);
  await bitcoin.mine({ count: 40, address: 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202' });
  await sequencer.build();
  expect((await build({ withdrawal: 1n })).missing).toMatch(
    /which paid it, is not on the best Bitcoin chain any more$|not published in Bitcoin yet$/,
  );
});
