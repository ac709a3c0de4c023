import { HemidError, toDigits, toHex } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import { createSeededRandom } from '@hemid/testkit';
import { getPublicKey } from '@noble/secp256k1';
import { Psbt, Transaction } from 'bitcoinjs-lib';
import { describe, expect, test } from 'vitest';
import { assemble, type Batch, createSignedBatches, type Partial, readPartials, signBatch, sortedMulti, toPsbt, toUnsigned } from '../src/index.ts';

const keyOf = (byte: number) => {
  const secret = new Uint8Array(32).fill(byte);
  return { secret, publicKey: getPublicKey(secret) };
};
const keys = [1, 2, 3].map(keyOf);
const vault = sortedMulti(
  2,
  keys.map(({ publicKey }) => publicKey),
);
const script = (n: number): Uint8Array => Uint8Array.of(0x00, 0x14, ...new Uint8Array(20).fill(n));
const request = (id: bigint, sats = 50_000n) => ({ id, sats, feeSats: 3_000n, blockNumber: 1n, script: script(Number(id)) });
const coin = (n: number, valueSats: bigint) => ({ txid: new Uint8Array(32).fill(n), vout: n, valueSats });
const batch: Batch = { requests: [request(7n), request(8n, 60_000n)], coins: [coin(1, 100_000n), coin(2, 70_000n)], vault: vault.script };
const signing = { batch, vault };
const secretOf = (i: number): Uint8Array => keys[i]?.secret as Uint8Array;

test('a batch pays each request less its fee, gives the change to the vault, and says what it is', () => {
  const transaction = toUnsigned(batch);
  expect(transaction.outs.map(({ value, script: to }) => [value, toHex(to)])).toEqual([
    [47_000n, toHex(script(7))],
    [57_000n, toHex(script(8))],
    [60_000n, toHex(vault.script)],
    [240n, '0x51024e73'],
    [0n, '0x6a0e48454d5700000000000000070002'],
  ]);
  expect(transaction.ins.map(({ hash, index, sequence }) => [hash[0], index, sequence])).toEqual([
    [1, 1, 0xfffffffd],
    [2, 2, 0xfffffffd],
  ]);
  expect(toUnsigned({ ...batch, requests: [...batch.requests] }).getId()).toBe(transaction.getId());
});

test('a batch whose fee is too small for an anchor has none', () => {
  const transaction = toUnsigned({ ...batch, requests: [{ ...request(7n), feeSats: 900n }] });
  expect(transaction.outs.map(({ value }) => value)).toEqual([49_100n, 120_000n, 0n]);
});

test('the order in which keys are given does not matter to the vault; their number and that of signers does', () => {
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  expect(toHex(sortedMulti(2, [...publicKeys].reverse()).script)).toBe(toHex(vault.script));
  expect(toHex(sortedMulti(3, publicKeys).script)).not.toBe(toHex(vault.script));
  // OP_2, three pushes in ascending order, OP_3 OP_CHECKMULTISIG.
  expect(toDigits(vault.spending.kind === 'wsh' ? vault.spending.witnessScript : vault.script)).toBe(
    `52${publicKeys
      .map(toDigits)
      .sort()
      .map((key) => `21${key}`)
      .join('')}53ae`,
  );
});

describe('signatures', () => {
  test('of any two custodians, by way of PSBTs, complete the batch; the same two give the same bytes', () => {
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as [number, number][]) {
      const own = signBatch(signing, secretOf(a));
      const theirs = readPartials(toPsbt(signing, [signBatch(signing, secretOf(b))]), signing);
      expect(assemble(signing, [own])).toBeUndefined();
      expect(assemble(signing, [own, own])).toBeUndefined();
      const complete = assemble(signing, [own, ...theirs]);
      expect(complete?.getId()).toBe(toUnsigned(batch).getId());
      expect(complete?.toHex()).toBe(assemble(signing, [...theirs, own])?.toHex());
      // OP_CHECKMULTISIG wants them in the order of the keys.
      const [, ...witness] = complete?.ins[0]?.witness ?? [];
      expect(witness).toHaveLength(3);
    }
  });

  test('of all three are cut to two', () => {
    const all = [0, 1, 2].map((i) => signBatch(signing, secretOf(i)));
    expect(assemble(signing, all)?.ins[1]?.witness).toHaveLength(4);
  });

  test('added to the PSBT by a cold signer’s tool are taken', () => {
    const psbt = Psbt.fromBase64(toPsbt(signing, []));
    const cold = signBatch(signing, secretOf(2));
    for (const [i, signature] of cold.signatures.entries()) psbt.updateInput(i, { partialSig: [{ pubkey: cold.publicKey, signature }] });
    expect(readPartials(`${psbt.toBase64()}\n`, signing)).toEqual([cold]);
    expect(readPartials(toPsbt(signing, []), signing)).toEqual([]);
  });
});

describe('a hostile custodian’s PSBT is refused:', () => {
  const good = signBatch(signing, secretOf(1));
  const withSignature = (change: (signature: Uint8Array) => Uint8Array, publicKey = good.publicKey): Partial => ({
    publicKey,
    signatures: [good.signatures[0] as Uint8Array, change(good.signatures[1] as Uint8Array)],
  });
  const flip = (at: number) => (signature: Uint8Array) => signature.with(at, (signature[at] ?? 0) ^ 1);
  const other = (change: object) => ({ batch: { ...batch, ...change }, vault });
  const stranger = keyOf(9);

  const texts: [string, () => string][] = [
    ['text that is none', () => 'no PSBT'],
    ['nothing', () => ''],
    ['more than is read', () => 'A'.repeat(3_000_000)],
    ['another payee', () => toPsbt(other({ requests: [request(7n), { ...request(8n, 60_000n), script: script(66) }] }), [])],
    ['another amount', () => toPsbt(other({ requests: [request(7n), request(8n, 60_001n)] }), [])],
    ['another input 0', () => toPsbt(other({ coins: [coin(2, 70_000n), coin(1, 100_000n)] }), [])],
    ['another change', () => toPsbt(other({ vault: script(66) }), [])],
    ['a signature of another transaction', () => toPsbt(signing, [signBatch(other({ requests: [request(7n)] }), secretOf(1))])],
    ['a signature of another value', () => toPsbt(signing, [signBatch(other({ coins: [coin(1, 100_001n), coin(2, 69_999n)] }), secretOf(1))])],
    ['a signature changed in r', () => toPsbt(signing, [withSignature(flip(10))])],
    ['a signature changed in s', () => toPsbt(signing, [withSignature(flip(60))])],
    ['a signature by a stranger', () => toPsbt(signing, [signBatch(signing, stranger.secret)])],
    ['a signature under another custodian’s key', () => toPsbt(signing, [withSignature((one) => one, keys[0]?.publicKey)])],
  ];
  test.each(texts)('%s', (_title, text) => {
    expect(() => readPartials(text(), signing)).toThrowError(expect.objectContaining({ code: 'tunnel/partial' }));
  });

  test('a signature of NONE, which would let anybody change the outputs', () => {
    const psbt = Psbt.fromBase64(toPsbt(signing, []));
    const none = (good.signatures[0] as Uint8Array).with(-1, Transaction.SIGHASH_NONE);
    psbt.data.inputs[0] = { ...psbt.data.inputs[0], partialSig: [{ pubkey: good.publicKey, signature: none }] };
    expect(() => readPartials(psbt.toBase64(), signing)).toThrow(/not good/);
  });

  test('one input signed and not the other is no signature of the batch', () => {
    const psbt = Psbt.fromBase64(toPsbt(signing, []));
    psbt.updateInput(0, { partialSig: [{ pubkey: good.publicKey, signature: good.signatures[0] as Uint8Array }] });
    expect(readPartials(psbt.toBase64(), signing)).toEqual([]);
  });

  test('any byte changed gives the same signatures, or that it is refused, and nothing else', () => {
    const random = createSeededRandom(11);
    const bytes = Uint8Array.from(Buffer.from(toPsbt(signing, [good]), 'base64'));
    for (let n = 0; n < 300; n += 1) {
      const at = random.between(0, bytes.length - 1);
      const changed = Buffer.from(bytes.with(at, (bytes[at] ?? 0) ^ random.between(1, 255))).toString('base64');
      try {
        for (const partial of readPartials(changed, signing)) expect(partial.signatures.map(toDigits)).toEqual(good.signatures.map(toDigits));
      } catch (error) {
        if (!(error instanceof HemidError) || error.code !== 'tunnel/partial') throw error;
      }
    }
  });
});

describe('what was signed stands on disk:', () => {
  test('the same batch may be signed again, one that shares a request with it and differs never', async () => {
    const store = await openMemoryStore();
    await createSignedBatches(store).note(batch);
    // A new start.
    const signed = createSignedBatches(store);
    await signed.note(batch);
    const differing: { [K in keyof Batch]?: Batch[K] }[] = [
      { coins: [coin(3, 200_000n)] },
      { requests: [request(7n)] },
      { requests: [request(8n, 60_000n)] },
      { requests: [request(6n), request(7n)] },
      { requests: [request(5n), request(6n), request(7n), request(8n, 60_000n), request(9n)], coins: [coin(1, 900_000n)] },
    ];
    for (const change of differing) await expect(signed.note({ ...batch, ...change })).rejects.toMatchObject({ code: 'tunnel/conflict' });
    await signed.note({ ...batch, requests: [request(9n)] });
    await signed.note({ ...batch, requests: [request(5n), request(6n)] });
    await expect(signed.note({ ...batch, requests: [request(8n)] })).rejects.toMatchObject({ code: 'tunnel/conflict' });
    await store.close();
  });

  test('complete batches are kept to be sent again, newest first, and never overwritten', async () => {
    const store = await openMemoryStore();
    const signed = createSignedBatches(store);
    const transaction = assemble(
      signing,
      [0, 1].map((i) => signBatch(signing, secretOf(i))),
    ) as Transaction;
    await signed.note(batch);
    expect(await signed.latest(4)).toEqual([]);
    await signed.complete(7n, transaction.toBuffer());
    await signed.complete(7n, toUnsigned(batch).toBuffer());
    await signed.complete(9n, transaction.toBuffer());
    expect((await signed.latest(4)).map((one) => one.toHex())).toEqual([transaction.toHex()]);
    await signed.note(batch);
    expect(await signed.latest(4)).toHaveLength(1);
    await store.close();
  });
});
