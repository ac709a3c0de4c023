import { Account, Address, bytesToUnprefixedHex } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import { toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { FlatState } from './state/flat-state.ts';
import { putWord } from './state/write.ts';

/** Storage words by slot, 32 bytes each. */
export type Slots = readonly { slot: Uint8Array; value: Uint8Array }[];

/** What a caller wants an account to be. */
export interface AccountOverride {
  address: Uint8Array;
  nonce: bigint | undefined;
  balance: bigint | undefined;
  code: Uint8Array | undefined;
  /** All of the storage. */
  storage: Slots | undefined;
  /** Single slots; the others stay. */
  changes: Slots | undefined;
  /** Where the precompile of this address is found instead. */
  movePrecompileTo: Uint8Array | undefined;
}

type Precompiles = VM['evm']['precompiles'];

function movePrecompile(precompiles: Precompiles, { address, movePrecompileTo: to }: AccountOverride): void {
  if (to === undefined) return;
  const found = precompiles.get(bytesToUnprefixedHex(address));
  if (found === undefined) throw fail('hvm/override', `account ${toHex(address)} is not a precompile`);
  precompiles.set(bytesToUnprefixedHex(to), found);
}

async function overrideAccount(state: FlatState, override: AccountOverride): Promise<void> {
  const address = new Address(override.address);
  const { nonce, balance, code, storage, changes } = override;
  if (nonce !== undefined || balance !== undefined) {
    const account = (await state.getAccount(address)) ?? new Account();
    account.nonce = nonce ?? account.nonce;
    account.balance = balance ?? account.balance;
    await state.putAccount(address, account);
  }
  if (code !== undefined) await state.putCode(address, code);
  if (storage === undefined && changes === undefined) return;
  if ((await state.getAccount(address)) === undefined) await state.putAccount(address, new Account());
  if (storage !== undefined) await state.clearStorage(address);
  for (const { slot, value } of storage ?? changes ?? []) await putWord(state, { address: override.address, slot, value });
}

/**
 * Makes accounts what a caller wants them to be, and moves precompiles, for one VM.
 *
 * @throws `hvm/override` for what is not a precompile, or is moved to where something else is put.
 */
export async function applyOverrides(vm: VM, state: FlatState, overrides: readonly AccountOverride[]): Promise<void> {
  const { precompiles } = vm.evm;
  const named = new Set(overrides.map(({ address }) => toHex(address)));
  const targets = new Set<string>();
  for (const override of overrides) {
    const { address, movePrecompileTo: to } = override;
    const key = bytesToUnprefixedHex(address);
    const isPrecompile = precompiles.has(key);
    if (to !== undefined && isPrecompile) {
      const target = toHex(to);
      if (named.has(target) || targets.has(target)) throw fail('hvm/override', `account ${target} is already overridden`);
      targets.add(target);
    }
    movePrecompile(precompiles, override);
    if (isPrecompile) precompiles.delete(key);
    await overrideAccount(state, override);
  }
}
