import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import { Caches, CacheType, MerkleStateManager } from '@ethereumjs/statemanager';
import { Account, Address } from '@ethereumjs/util';
import type { ChainSpec } from '@hemid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCommon } from '../src/index.ts';
import { commitState } from '../src/state/commit-state.ts';
import { type FlatState, openFlatState } from '../src/state/flat-state.ts';
import type { BaseState } from '../src/state/source.ts';

const common = createCommon({ genesis: { name: 'test', chainId: 1 } } as ChainSpec);
const addresses = [1, 2, 3, 4].map((byte) => new Address(new Uint8Array(20).fill(byte)));
const slots = [0, 1, 2].map((byte) => new Uint8Array(32).fill(byte));

type Step =
  | { kind: 'account'; who: number; nonce: bigint; balance: bigint }
  | { kind: 'slot'; who: number; slot: number; value: Uint8Array }
  | { kind: 'code'; who: number; value: Uint8Array }
  | { kind: 'delete'; who: number }
  | { kind: 'checkpoint' | 'commit' | 'revert' | 'block' };

const who = fc.nat({ max: addresses.length - 1 });
const minimal = fc
  .uint8Array({ maxLength: 32 })
  .map((bytes) =>
    bytes.subarray(
      Math.max(
        0,
        bytes.findIndex((byte) => byte !== 0),
      ),
    ),
  )
  .map((bytes) => (bytes.every((byte) => byte === 0) ? new Uint8Array() : bytes));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('account' as const),
      who,
      nonce: fc.bigInt({ min: 0n, max: 9n }),
      balance: fc.bigInt({ min: 1n, max: 99n }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('slot' as const), who, slot: fc.nat({ max: slots.length - 1 }), value: minimal }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('code' as const), who, value: fc.uint8Array({ minLength: 1, maxLength: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), who }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('checkpoint' as const, 'commit' as const, 'revert' as const, 'block' as const) }) },
);

const unbounded = { size: 0, type: CacheType.ORDERED_MAP };
const createOracle = (): MerkleStateManager =>
  new MerkleStateManager({
    common,
    trie: new MerklePatriciaTrie({ useKeyHashing: true, common }),
    caches: new Caches({ account: unbounded, code: unbounded, storage: unbounded }),
  });

function baseOf(rows: Map<string, Uint8Array>): BaseState {
  return {
    read: (key) => rows.get(key),
    async *keys(prefix) {
      for (const key of [...rows.keys()]) if (key.startsWith(prefix)) yield key;
    },
  };
}

async function take(manager: FlatState | MerkleStateManager, one: Exclude<Step, { kind: 'block' }>): Promise<void> {
  if (one.kind === 'checkpoint') return manager.checkpoint();
  if (one.kind === 'commit') return manager.commit();
  if (one.kind === 'revert') return manager.revert();
  const address = addresses[(one as { who: number }).who] as Address;
  if (one.kind === 'delete') return manager.deleteAccount(address);
  const known = await manager.getAccount(address);
  if (one.kind === 'account') {
    const account = known ?? new Account();
    account.nonce = one.nonce;
    account.balance = one.balance;
    await manager.putAccount(address, account);
    // As the EVM does for a new contract: nothing of an earlier life is left.
    if (known === undefined) await manager.clearStorage(address);
    return;
  }
  if (known === undefined) return;
  if (one.kind === 'code') return manager.putCode(address, one.value);
  return manager.putStorage(address, slots[(one as { slot: number }).slot] as Uint8Array, (one as { value: Uint8Array }).value);
}

test('the flat state reads, reverts and roots as @ethereumjs/statemanager does, block after block', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const rows = new Map<string, Uint8Array>();
      const oracle = createOracle();
      let flat = openFlatState(common, baseOf(rows));
      let depth = 0;
      for (const one of [...steps, { kind: 'block' as const }]) {
        if (one.kind === 'block') {
          for (; depth > 0; depth -= 1) {
            await oracle.commit();
            await flat.commit();
          }
          const { root, diff, before } = await commitState(flat, baseOf(rows));
          for (const [key, row] of before ?? []) expect(row).toEqual(rows.get(key));
          await oracle.flush();
          expect(Buffer.from(root).toString('hex')).toBe(Buffer.from(await oracle.getStateRoot()).toString('hex'));
          for (const [key, value] of diff) {
            if (value === undefined) rows.delete(key);
            else rows.set(key, value);
          }
          flat = openFlatState(common, baseOf(rows));
          continue;
        }
        if ((one.kind === 'commit' || one.kind === 'revert') && depth === 0) continue;
        if (one.kind === 'checkpoint') depth += 1;
        if (one.kind === 'commit' || one.kind === 'revert') depth -= 1;
        await take(oracle, one);
        await take(flat, one);
        for (const address of addresses) {
          const [a, b] = [await flat.getAccount(address), await oracle.getAccount(address)];
          expect({ nonce: a?.nonce, balance: a?.balance }).toEqual({ nonce: b?.nonce, balance: b?.balance });
          if (b === undefined) continue;
          expect(await flat.getCode(address)).toEqual(await oracle.getCode(address));
          for (const slot of slots) expect(await flat.getStorage(address, slot)).toEqual(await oracle.getStorage(address, slot));
        }
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);

test('hundreds of slots and accounts in one block have the roots of @ethereumjs/mpt, when they come and when most of them go', async () => {
  const rows = new Map<string, Uint8Array>();
  const oracle = createOracle();
  const [owner] = addresses as [Address];
  const slotOf = (i: number): Uint8Array => Uint8Array.from(Buffer.from(i.toString(16).padStart(64, '0'), 'hex'));
  let pauses = 0;
  const pause = async (): Promise<void> => {
    pauses += 1;
  };
  for (const left of [700, 700, 3, 0, 300]) {
    const state = openFlatState(common, baseOf(rows));
    for (const manager of [state, oracle]) {
      if ((await manager.getAccount(owner)) === undefined) await manager.putAccount(owner, new Account(1n, 1n));
      for (let i = 0; i < 700; i += 1) {
        await manager.putStorage(owner, slotOf(i), i < left ? Uint8Array.of(1 + (i % 200), left & 0xff) : new Uint8Array());
        if (i % 2 === 0) await manager.putAccount(new Address(slotOf(i + 1000).slice(12)), new Account(1n, BigInt(left + 1)));
      }
    }
    await oracle.flush();
    const { root, diff } = await commitState(state, baseOf(rows), pause);
    expect(Buffer.from(root).toString('hex')).toBe(Buffer.from(await oracle.getStateRoot()).toString('hex'));
    for (const [key, value] of diff) value === undefined ? rows.delete(key) : rows.set(key, value);
  }
  expect(pauses).toBeGreaterThan(30);
});
