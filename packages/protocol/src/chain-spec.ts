import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { addressToScript } from './bitcoin-address.ts';
import { decodeBitcoinHeader, hashBitcoinHeader } from './bitcoin-header.ts';
import { equal, fromHex } from './bytes.ts';
import { canonicalJson } from './canonical-json.ts';
import { fail } from './errors.ts';

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

const bitcoin = z.strictObject({
  network: z.enum(['mainnet', 'testnet4', 'signet', 'regtest']),
  genesisHeight: count.describe('height of the hVM genesis'),
  genesisHeader: hexOf(80).describe('the hVM genesis header'),
  headersBefore: z.array(hexOf(80)).describe('the headers before it, oldest first'),
  unspent: z.literal('none').describe('the unspent set at the hVM genesis: none = starts empty (regtest only)'),
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
    vault: z.string().describe('Bitcoin address of the vault'),
    confirmations: z.int().min(1),
    limits,
  }),
  quirks: z.strictObject({ emptyHeaderAtHeight: z.boolean(), emptySpentOutput: z.boolean() }),
});

const upgrade = z.strictObject({
  timestamp: count,
  sequencers: z.array(sequencer).min(1).optional(),
  vault: z.string().optional(),
  limits: limits.optional(),
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

function check(condition: boolean, message: string): void {
  if (!condition) throw fail('protocol/chain-spec', `the chain spec is wrong: ${message}`);
}

function checkHeaders(spec: GenesisSpec['bitcoin']): Uint8Array {
  let previous: Uint8Array | undefined;
  for (const bytes of [...spec.headersBefore, spec.genesisHeader]) {
    if (previous !== undefined) {
      check(equal(decodeBitcoinHeader(bytes).previous, previous), 'bitcoin.headersBefore is not one connected run');
    }
    previous = hashBitcoinHeader(bytes);
  }
  const needed = spec.network === 'regtest' ? Math.min(11, spec.genesisHeight) : 2016 + 11;
  check(spec.headersBefore.length === needed, `bitcoin.headersBefore has ${spec.headersBefore.length} headers, ${needed} are needed`);
  return previous as Uint8Array;
}

/**
 * Parses a chain spec from JSON.
 *
 * @throws `protocol/chain-spec` naming every key that is wrong or unknown.
 */
export function parseChainSpec(json: unknown): ChainSpec {
  const parsed = specSchema.safeParse(json);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw fail('protocol/chain-spec', `the chain spec is wrong: ${lines.join('; ')}`);
  }
  const { genesis: g, upgrades } = parsed.data;
  check(g.gasLimit / g.elasticity >= 6_000_000n, 'gasLimit / elasticity (the system budget) must be at least 6000000');
  check(g.tunnel.confirmations >= g.bitcoin.indexLag + 1, 'tunnel.confirmations must be at least bitcoin.indexLag + 1');
  check(g.bitcoin.network === 'regtest', 'bitcoin.unspent "none" is allowed on regtest only');
  for (const vault of [g.tunnel.vault, ...upgrades.flatMap((u) => u.vault ?? [])]) {
    check(addressToScript(vault, g.bitcoin.network) !== undefined, `"${vault}" is not an address of ${g.bitcoin.network}`);
  }
  check(
    upgrades.every((u, i) => i === 0 || u.timestamp > (upgrades[i - 1]?.timestamp ?? 0)),
    'upgrades must ascend by timestamp',
  );
  const raw = (json as { genesis: unknown }).genesis;
  return {
    genesis: g,
    upgrades,
    genesisHash: keccak_256(new TextEncoder().encode(canonicalJson(raw))),
    bitcoinGenesisHash: checkHeaders(g.bitcoin),
  };
}

/** What is in force at a block's timestamp: for each key the last upgrade that has it, else the genesis. */
export interface ActiveRules {
  sequencers: Sequencer[];
  /** Scripts of all vaults in force so far, newest first. */
  vaults: Uint8Array[];
  limits: TunnelLimits;
}

/** The {@link ActiveRules} at `timestamp` (seconds). */
export function rulesAt(spec: ChainSpec, timestamp: bigint): ActiveRules {
  const { genesis: g } = spec;
  const active = spec.upgrades.filter((u) => BigInt(u.timestamp) <= timestamp);
  const vaults = [g.tunnel.vault, ...active.flatMap((u) => u.vault ?? [])].reverse();
  return {
    sequencers: active.findLast((u) => u.sequencers !== undefined)?.sequencers ?? g.sequencers,
    vaults: vaults.map((vault) => addressToScript(vault, g.bitcoin.network) as Uint8Array),
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
