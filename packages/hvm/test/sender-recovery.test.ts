import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, hexToBytes, serializeTransaction } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { beforeAll, expect, test, vi } from 'vitest';
import { recoverSenders } from '../src/index.ts';
import { hashOfTransaction, isRecovered, senderOf } from '../src/sender.ts';

const account = privateKeyToAccount(`0x${'7'.repeat(64)}`);
const to = `0x${'22'.repeat(20)}` as Hex;
const fees = { maxFeePerGas: 7n, maxPriorityFeePerGas: 1n };

/** One of each type, and of each kind of length that RLP knows. */
async function signSome(): Promise<Uint8Array[]> {
  const legacy = { type: 'legacy', to, gasPrice: 7n, gas: 21_000n } as const;
  const authorization = await account.signAuthorization({ chainId: 17_017, address: to, nonce: 1 });
  const signed = await Promise.all([
    account.signTransaction({ ...legacy, chainId: 17_017, value: 5n }),
    account.signTransaction({ ...legacy, nonce: 3, data: `0x${'ab'.repeat(300)}` }),
    account.signTransaction({ type: 'eip2930', chainId: 17_017, to, gasPrice: 7n, accessList: [{ address: to, storageKeys: [] }] }),
    account.signTransaction({ type: 'eip1559', chainId: 17_017, to, ...fees }),
    account.signTransaction({ type: 'eip1559', chainId: 17_017, data: `0x${'cd'.repeat(70_000)}`, ...fees }),
    account.signTransaction({ type: 'eip7702', chainId: 17_017, to, ...fees, authorizationList: [authorization] }),
  ]);
  return signed.map((raw) => hexToBytes(raw));
}

/** Until the worker is there, nothing is recovered and nobody waits. */
beforeAll(async () => {
  const raws = await signSome();
  await recoverSenders(raws);
  expect(raws.some(isRecovered)).toBe(false);
  await vi.waitFor(
    async () => {
      await recoverSenders(raws);
      expect(raws.every(isRecovered)).toBe(true);
    },
    { timeout: 30_000 },
  );
}, 40_000);

test('the worker finds the hash and the sender of every kind of transaction, as the main thread does', async () => {
  const raws = await signSome();
  await recoverSenders(raws);
  for (const raw of raws) {
    expect(isRecovered(raw)).toBe(true);
    expect(hashOfTransaction(raw)).toEqual(keccak_256(raw));
    expect(senderOf(raw, hashOfTransaction(raw))).toEqual(hexToBytes(account.address));
  }
});

test('what nobody signed, and what is no transaction, gets a hash and no sender, and the others theirs', async () => {
  const nobody = serializeTransaction({ type: 'eip1559', chainId: 17_017, to, ...fees }, { r: `0x${'ff'.repeat(32)}`, s: '0x1', yParity: 0 });
  const [first, ...others] = (await signSome()).map((raw) => new Uint8Array(raw)) as [Uint8Array, ...Uint8Array[]];
  const broken = [hexToBytes(nobody), new Uint8Array(), Uint8Array.of(2), first.slice(0, -1), new Uint8Array(300).fill(0xf9)];
  await recoverSenders([...broken, ...others]);
  for (const raw of broken) {
    expect(isRecovered(raw)).toBe(false);
    expect(hashOfTransaction(raw)).toEqual(keccak_256(raw));
    expect(senderOf(raw, hashOfTransaction(raw))).toBeUndefined();
  }
  expect(others.every(isRecovered)).toBe(true);
});
