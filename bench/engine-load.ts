import { readFileSync } from 'node:fs';
import { keccak } from '../packages/hvm/src/state/keccak.ts';
import { toBigEndian, toHex } from '../packages/protocol/src/bytes.ts';
import { createLoadSigner, type LoadSigner } from '../packages/testkit/src/load-signer.ts';

/* What is sent: plain transfers, or transfers of the ERC-20 token that PoPReward is, between many accounts. */

export type Kind = 'transfers' | 'erc20';

/** Accounts that send; the first of all accounts. */
export const SENDERS = 1_000;
export const GAS_LIMIT = 1_000_000_000;
export const TOKEN = '0x4200000000000000000000000000000000000042';
const BALANCES_SLOT = 0;

interface Template {
  genesis: { chainId: number; allocation: Record<string, { code?: string; nonce?: number; balance?: string; storage?: Record<string, string> }> };
}

export const template = JSON.parse(readFileSync(new URL('../configs/dev.json', import.meta.url), 'utf8')) as Template;

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const signers: LoadSigner[] = [];
function signerAt(index: number): LoadSigner {
  signers[index] ??= createLoadSigner(keccak(text(`hemid bench sender ${index}`)), template.genesis.chainId);
  return signers[index];
}

const known: Uint8Array[] = [];
/** The address of an account. */
export function accountAt(index: number): Uint8Array {
  known[index] ??= index < SENDERS ? signerAt(index).address : keccak(text(`hemid bench account ${index}`)).slice(12);
  return known[index];
}

const slotOf = (address: Uint8Array): string => toHex(keccak(Buffer.concat([Buffer.alloc(12), address, toBigEndian(BALANCES_SLOT, 32)])));

/** A genesis allocation in which `accounts` accounts own coins and tokens. */
export function allocation(accounts: number): Record<string, object> {
  const storage: Record<string, string> = {};
  const all: Record<string, object> = { ...template.genesis.allocation };
  for (let i = 0; i < accounts; i += 1) {
    const address = accountAt(i);
    all[toHex(address)] = { balance: (10n ** 24n).toString() };
    storage[slotOf(address)] = toHex(toBigEndian(10n ** 24n, 32));
  }
  all[TOKEN] = { ...template.genesis.allocation[TOKEN], storage };
  return all;
}

function payload(kind: Kind, to: Uint8Array): { to: Uint8Array; value: bigint; data: Uint8Array; gas: bigint } {
  if (kind === 'transfers') return { to, value: 1n, data: new Uint8Array(), gas: 21_000n };
  const data = Buffer.concat([Buffer.from('a9059cbb', 'hex'), Buffer.alloc(12), to, toBigEndian(1n, 32)]);
  return { to: Buffer.from(TOKEN.slice(2), 'hex'), value: 0n, data, gas: 70_000n };
}

/** Signed EIP-1559 transactions: one of each sender, then the next of each, to accounts spread over all. */
export function signAll(kind: Kind, options: { count: number; accounts: number; firstNonce: number }): Uint8Array[] {
  const raws: Uint8Array[] = [];
  for (let i = 0; i < options.count; i += 1) {
    const nonce = options.firstNonce + Math.floor(i / SENDERS);
    // A step that shares no factor with a power of ten visits every account once before it repeats.
    const recipient = accountAt(((i + options.firstNonce * SENDERS) * 7_919 + 13) % options.accounts);
    raws.push(signerAt(i % SENDERS).sign({ nonce, ...payload(kind, recipient) }));
  }
  return raws;
}
