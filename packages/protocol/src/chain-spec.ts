import { keccak_256 } from '@noble/hashes/sha3.js';
import * as z from 'zod';
import type { BitcoinNetwork } from './bitcoin-address.ts';
import { fromDisplay } from './bitcoin-hash.ts';
import { decodeBitcoinHeader, hashBitcoinHeader } from './bitcoin-header.ts';
import { equal, fromHex } from './bytes.ts';
import { canonicalJson } from './canonical-json.ts';
import { isHemidError } from './error.ts';
import { fail } from './errors.ts';
import { vaultScript } from './vault-descriptor.ts';

const decimal = z
  .string()
  .regex(/^(0|[1-9][0-9]*)$/, 'must be a whole number as a decimal string')
  .transform(BigInt);
const hexOf = (size?: number) =>
  z
    .string()
    .regex(
      size === undefined ? /^0x([0-9a-f]{2})*$/ : new RegExp(`^0x[0-9a-f]{${size * 2}}$`),
      `must be 0x and ${size === undefined ? 'lowercase hex' : `${size * 2} lowercase hex digits`}`,
    )
    .transform(fromHex);
const count = z.int().min(0);
const sats = z.int().min(0).transform(BigInt);

const sequencer = z.strictObject({
  signer: hexOf(20).describe('address of the key that seals'),
  feeRecipient: hexOf(20).describe('beneficiary of its blocks'),
});

const account = z.strictObject({
  balance: decimal.optional().describe('wei'),
  nonce: count.optional(),
  code: hexOf().optional(),
  storage: z.record(z.string().regex(/^0x[0-9a-f]{64}$/), hexOf(32)).optional(),
});

const limits = z.strictObject({
  minimumDepositSats: sats,
  depositFeeSats: sats,
  withdrawalFeeSats: sats,
  minimumWithdrawalSats: sats,
});

const txid = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a txid: 64 lowercase hex digits')
  .transform(fromDisplay);

const unspentSet = z.strictObject({
  hashSerialized: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lowercase hex digits, as bitcoind prints txoutset_hash')
    .transform(fromDisplay)
    .describe('hash_serialized_3 of the unspent set at genesisHeight; internal order once parsed'),
});

const bitcoin = z.strictObject({
  network: z.enum(['mainnet', 'testnet4', 'signet', 'regtest']),
  genesisHeight: count.describe('height of the hVM genesis'),
  genesisHeader: hexOf(80).describe('the hVM genesis header'),
  headersBefore: z.array(hexOf(80)).describe('the headers before it, oldest first'),
  unspent: z.union([z.literal('none'), unspentSet]).describe('the unspent set at the hVM genesis: none = starts empty (regtest only)'),
  signetChallenge: hexOf().optional().describe('script that every block of the signet solves (BIP325); signet only'),
  indexLag: z.int().min(0).max(100),
});

const genesis = z.strictObject({
  name: z.string().min(1),
  chainId: z.int().min(1),
  time: count.describe('seconds, time of slot 0'),
  blockTime: z.int().min(1).describe('seconds per slot'),
  gasLimit: z.int().min(1).transform(BigInt),
  elasticity: z.int().min(1).transform(BigInt),
  baseFeeDenominator: z.int().min(1).transform(BigInt),
  baseFee: decimal.describe('wei, of the first block'),
  hardfork: z.literal('osaka'),
  allocation: z.record(z.string().regex(/^0x[0-9a-f]{40}$/), account),
  sequencers: z.array(sequencer).min(1),
  keystonePeriod: z.int().min(1),
  bitcoin,
  finality: z.strictObject({ super: z.int().min(1), ultra: z.int().min(1) }),
  popPool: decimal.describe('reward units (10^-18) per keystone'),
  tunnel: z.strictObject({
    vault: z.string().describe('the vault: a Bitcoin address, or an output descriptor with its checksum and keys in hex'),
    confirmations: z.int().min(1),
    limits,
  }),
  quirks: z.strictObject({ emptyHeaderAtHeight: z.boolean(), emptySpentOutput: z.boolean() }),
  development: z.literal(true).optional().describe('blocks may carry development transactions (0x7F), which set what they like; regtest only'),
});

const upgrade = z.strictObject({
  timestamp: count,
  sequencers: z.array(sequencer).min(1).optional(),
  vault: z.string().optional(),
  limits: limits.optional(),
  clearBreach: txid.optional().describe('Bitcoin transaction whose breach of the vault no longer stops withdrawals'),
});

const specSchema = z.strictObject({ genesis, upgrades: z.array(upgrade) });

export type Sequencer = z.output<typeof sequencer>;
export type TunnelLimits = z.output<typeof limits>;
export type GenesisSpec = z.output<typeof genesis>;
export type GenesisAccount = z.output<typeof account>;

/** A chain specification (protocol section 2), parsed and checked. */
export interface ChainSpec {
  genesis: GenesisSpec;
  upgrades: z.output<typeof upgrade>[];
  /** keccak256 of the genesis object in RFC 8785 form: the genesis block's mixHash. */
  genesisHash: Uint8Array;
  /** Hash of the hVM genesis, internal order. */
  bitcoinGenesisHash: Uint8Array;
}

/** The challenge of the default signet (BIP325): one of two keys. */
export const DEFAULT_SIGNET_CHALLENGE: Uint8Array = fromHex(
  '512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae',
);

/**
 * How many headers before the hVM genesis a chain spec carries: what retargets and median times of the first headers
 * above it look back on. `undefined` when Bitcoin does not have that many at this height.
 */
export function headersBeforeCount(network: BitcoinNetwork, genesisHeight: number): number | undefined {
  if (network === 'regtest') return Math.min(11, genesisHeight);
  const needed = 2016 + 11;
  return genesisHeight < needed ? undefined : needed;
}

/** Every key that a schema issue is about; of a union, the keys within the branch that the value seems to mean. */
function linesOf(issue: z.core.$ZodIssue, at: readonly PropertyKey[] = []): string[] {
  const path = [...at, ...issue.path];
  if (issue.code !== 'invalid_union') return [`${path.join('.')}: ${issue.message}`];
  const within = issue.errors.filter((branch) => branch.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
  return (within.length > 0 ? within : issue.errors).flatMap((branch) => branch.flatMap((one) => linesOf(one, path)));
}

function* faultsOfHeaders(bitcoin: GenesisSpec['bitcoin']): Generator<string> {
  const { network, genesisHeight, headersBefore } = bitcoin;
  const needed = headersBeforeCount(network, genesisHeight);
  if (needed === undefined) yield `bitcoin.genesisHeight must be at least ${2016 + 11} on ${network}: so many headers come before it`;
  else if (headersBefore.length !== needed) yield `bitcoin.headersBefore has ${headersBefore.length} headers, ${needed} are needed`;
  const run = [...headersBefore, bitcoin.genesisHeader];
  const isConnected = run.every((bytes, i) => i === 0 || equal(decodeBitcoinHeader(bytes).previous, hashBitcoinHeader(run[i - 1] as Uint8Array)));
  if (!isConnected) yield 'bitcoin.headersBefore and genesisHeader are not one connected run';
}

/** The largest dust limit of Bitcoin's standard outputs, which is that of P2PKH. */
const DUST_SATS = 546n;

function* faultsOfLimits(limits: TunnelLimits, at: string): Generator<string> {
  const { minimumDepositSats, depositFeeSats, withdrawalFeeSats, minimumWithdrawalSats } = limits;
  if (minimumDepositSats <= depositFeeSats) yield `${at}.minimumDepositSats must be more than depositFeeSats`;
  if (minimumWithdrawalSats < 10n * withdrawalFeeSats) yield `${at}.minimumWithdrawalSats must be at least 10 times withdrawalFeeSats`;
  if (minimumWithdrawalSats < withdrawalFeeSats + DUST_SATS) yield `${at}.minimumWithdrawalSats less withdrawalFeeSats must be at least ${DUST_SATS}`;
}

function* faultsOfVault(vault: string, network: BitcoinNetwork): Generator<string> {
  try {
    vaultScript(vault, network);
  } catch (error) {
    if (!isHemidError(error, 'protocol/descriptor')) throw error;
    yield `the vault "${vault}": ${error.message}`;
  }
}

/** What the schema cannot say. */
function* faultsOf(g: GenesisSpec, upgrades: ChainSpec['upgrades']): Generator<string> {
  const { network, unspent, signetChallenge } = g.bitcoin;
  if (g.development === true && network !== 'regtest') yield `development is allowed on regtest only, not on ${network}`;
  if (g.gasLimit / g.elasticity < 6_000_000n) yield 'gasLimit / elasticity (the system budget) must be at least 6000000';
  if (g.tunnel.confirmations < g.bitcoin.indexLag + 1) yield 'tunnel.confirmations must be at least bitcoin.indexLag + 1';
  if (unspent === 'none' && network !== 'regtest') yield `bitcoin.unspent "none" is allowed on regtest only, not on ${network}`;
  if (network === 'signet' && signetChallenge === undefined) yield 'bitcoin.signetChallenge is missing';
  if (network !== 'signet' && signetChallenge !== undefined) yield `bitcoin.signetChallenge is for signet, not for ${network}`;
  for (const vault of [g.tunnel.vault, ...upgrades.flatMap((u) => u.vault ?? [])]) {
    yield* faultsOfVault(vault, network);
  }
  if (!upgrades.every((u, i) => i === 0 || u.timestamp > (upgrades[i - 1]?.timestamp ?? 0))) yield 'upgrades must ascend by timestamp';
  yield* faultsOfLimits(g.tunnel.limits, 'tunnel.limits');
  for (const [i, { limits: changed }] of upgrades.entries()) if (changed !== undefined) yield* faultsOfLimits(changed, `upgrades.${i}.limits`);
  yield* faultsOfHeaders(g.bitcoin);
}

const refusal = (faults: readonly string[]): Error => fail('protocol/chain-spec', `the chain spec is wrong: ${faults.join('; ')}`);

/**
 * Parses a chain spec from JSON.
 *
 * @throws `protocol/chain-spec` naming every key that is wrong or unknown.
 */
export function parseChainSpec(json: unknown): ChainSpec {
  const parsed = specSchema.safeParse(json);
  if (!parsed.success) throw refusal(parsed.error.issues.flatMap((issue) => linesOf(issue)));
  const { genesis: g, upgrades } = parsed.data;
  const faults = [...faultsOf(g, upgrades)];
  if (faults.length > 0) throw refusal(faults);
  const raw = (json as { genesis: unknown }).genesis;
  return {
    genesis: g,
    upgrades,
    genesisHash: keccak_256(new TextEncoder().encode(canonicalJson(raw))),
    bitcoinGenesisHash: hashBitcoinHeader(g.bitcoin.genesisHeader),
  };
}

/** What is in force at a block's timestamp: for each key the last upgrade that has it, else the genesis. */
export interface ActiveRules {
  sequencers: Sequencer[];
  /** Scripts of all vaults in force so far, newest first; one that came twice stands where it came last. */
  vaults: Uint8Array[];
  limits: TunnelLimits;
}

/** The {@link ActiveRules} at `timestamp` (seconds). */
export function rulesAt(spec: ChainSpec, timestamp: bigint): ActiveRules {
  const { genesis: g } = spec;
  const active = spec.upgrades.filter((u) => BigInt(u.timestamp) <= timestamp);
  const scripts = [g.tunnel.vault, ...active.flatMap((u) => u.vault ?? [])].map((vault) => vaultScript(vault, g.bitcoin.network));
  const newestFirst = scripts.reverse();
  return {
    sequencers: active.findLast((u) => u.sequencers !== undefined)?.sequencers ?? g.sequencers,
    vaults: newestFirst.filter((script, i) => newestFirst.findIndex((other) => equal(other, script)) === i),
    limits: active.findLast((u) => u.limits !== undefined)?.limits ?? g.tunnel.limits,
  };
}

/** Gas that system transactions may take in one block: the gas target. */
export function systemBudget(spec: ChainSpec): bigint {
  return spec.genesis.gasLimit / spec.genesis.elasticity;
}

/** Slot of a block from its timestamp; `undefined` when the timestamp is not that of a slot. */
export function slotAt(spec: ChainSpec, timestamp: bigint): bigint | undefined {
  const since = timestamp - BigInt(spec.genesis.time);
  const blockTime = BigInt(spec.genesis.blockTime);
  return since >= 0n && since % blockTime === 0n ? since / blockTime : undefined;
}
