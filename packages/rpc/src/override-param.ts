import type { AccountOverride, BlockOverride, Slots } from '@hemid/hvm';
import { fromHex } from '@hemid/protocol';
import { z } from 'zod';
import { address, data, hash, quantity } from './param.ts';

const MAX_ACCOUNTS = 1000;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const WORD = /^0x[0-9a-fA-F]{64}$/;

const slots = z
  .record(z.string().regex(WORD, 'must be a slot: 0x and 64 hex digits'), hash)
  .transform((record): Slots => Object.entries(record).map(([slot, value]) => ({ slot: fromHex(slot), value })));

const account = z
  .object({
    nonce: quantity.nullish(),
    balance: quantity.nullish(),
    code: data.nullish(),
    state: slots.nullish(),
    stateDiff: slots.nullish(),
    movePrecompileToAddress: address.nullish(),
  })
  .refine(({ state, stateDiff }) => !state || !stateDiff, 'has both "state" and "stateDiff"');

/** Accounts that a call wants to be others, by address. */
export const stateOverrides = z
  .record(z.string().regex(ADDRESS, 'must be an address'), account, 'must be an object of accounts by address')
  .refine((record) => Object.keys(record).length <= MAX_ACCOUNTS, `must be at most ${MAX_ACCOUNTS} accounts`)
  .transform((record) =>
    Object.entries(record).map(
      ([at, { nonce, balance, code, state, stateDiff, movePrecompileToAddress }]): AccountOverride => ({
        address: fromHex(at),
        nonce: nonce ?? undefined,
        balance: balance ?? undefined,
        code: code ?? undefined,
        storage: state ?? undefined,
        changes: stateDiff ?? undefined,
        movePrecompileTo: movePrecompileToAddress ?? undefined,
      }),
    ),
  );

/** Fields of the block that a call wants to be others. */
export const blockOverrides = z
  .object({
    number: quantity.nullish(),
    time: quantity.nullish(),
    gasLimit: quantity.nullish(),
    feeRecipient: address.nullish(),
    coinbase: address.nullish(),
    prevRandao: hash.nullish(),
    baseFeePerGas: quantity.nullish(),
    blobBaseFee: quantity.nullish(),
    beaconRoot: hash.nullish(),
    withdrawals: z.array(z.unknown()).max(0, 'this chain has no withdrawals').nullish(),
  })
  .transform((fields): BlockOverride & { beaconRoot?: Uint8Array | undefined } => ({
    ...present('number', fields.number),
    ...present('timestamp', fields.time),
    ...present('gasLimit', fields.gasLimit),
    ...present('beneficiary', fields.feeRecipient ?? fields.coinbase),
    ...present('mixHash', fields.prevRandao),
    ...present('baseFeePerGas', fields.baseFeePerGas),
    ...present('blobBaseFee', fields.blobBaseFee),
    ...present('beaconRoot', fields.beaconRoot),
  }));

function present<K extends string, T>(name: K, value: T | null | undefined): { [key in K]?: T } {
  return (value ?? undefined) === undefined ? {} : ({ [name]: value } as { [key in K]?: T });
}
