import {
  ATTRIBUTES_GAS,
  ATTRIBUTES_TYPE,
  type Attributes,
  type AttributesTransaction,
  type ChainSpec,
  DEVELOPMENT_TYPE,
  type DevelopmentTransaction,
  decodeAttributes,
  decodeSystemTransaction,
  displayBytes,
  equal,
  type HemidError,
  isHemidError,
  isSystemEnvelope,
  type L2Header,
  readSealer,
  rulesAt,
  type SealedBlock,
  type Sequencer,
  SYSTEM_ADDRESS,
  type SystemEnvelope,
  type SystemTransaction,
  slotAt,
  toHex,
} from '@hemid/protocol';
import { invalidBlock } from './errors.ts';

/** A block's transactions by kind, in their order. */
export interface BlockParts {
  /** The 0x7C at index 0, if there is one. */
  attributes: Attributes | undefined;
  attributesTransaction: AttributesTransaction | undefined;
  /** Payouts and tunnel transactions. */
  derived: SystemTransaction[];
  /** Development transactions, behind those. */
  development: DevelopmentTransaction[];
  /** Raw user transactions. */
  user: Uint8Array[];
}

/** Turns an encoding error inside a block into a broken rule of the block. */
function asRule<T>(rule: string, what: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!isHemidError(error, 'protocol/encoding')) throw error;
    throw invalidBlock(rule, `${what}: ${(error as HemidError).message}`);
  }
}

const isDevelopment = (one: SystemEnvelope): one is DevelopmentTransaction => one.type === DEVELOPMENT_TYPE;
const isSystem = (one: SystemEnvelope): one is SystemTransaction => one.type !== DEVELOPMENT_TYPE;

/** Splits a block into its parts; @throws `chain/block-invalid` when they are out of order or malformed. */
export function splitBlock(transactions: readonly Uint8Array[]): BlockParts {
  const firstUser = transactions.findIndex((raw) => !isSystemEnvelope(raw));
  const systemCount = firstUser === -1 ? transactions.length : firstUser;
  const user = transactions.slice(systemCount);
  if (user.some(isSystemEnvelope)) {
    throw invalidBlock('transaction-order', 'a system transaction stands behind a user transaction');
  }
  const envelopes = transactions
    .slice(0, systemCount)
    .map((raw) => asRule('system-encoding', 'a system transaction is malformed', () => decodeSystemTransaction(raw)));
  const firstDevelopment = envelopes.findIndex(isDevelopment);
  const system = envelopes.filter(isSystem);
  const development = envelopes.filter(isDevelopment);
  if (firstDevelopment !== -1 && firstDevelopment < system.length) {
    throw invalidBlock('transaction-order', 'a system transaction stands behind a development transaction');
  }
  const [first] = system;
  if (first?.type !== ATTRIBUTES_TYPE) return { attributes: undefined, attributesTransaction: undefined, derived: system, development, user };
  if (first.to === undefined || !equal(first.to, SYSTEM_ADDRESS) || first.gas !== ATTRIBUTES_GAS) {
    throw invalidBlock('attributes-envelope', 'the attributes transaction has another recipient or gas limit than it must have');
  }
  const attributes = asRule('attributes-encoding', 'the attributes transaction is malformed', () => decodeAttributes(first.data));
  return { attributes, attributesTransaction: first, derived: system.slice(1), development, user };
}

/** The sequencer whose slot a timestamp is; `undefined` when the timestamp is not that of a slot. */
export function sequencerAt(spec: ChainSpec, timestamp: bigint): Sequencer | undefined {
  const slot = slotAt(spec, timestamp);
  const { sequencers } = rulesAt(spec, timestamp);
  return slot === undefined ? undefined : sequencers[Number(slot % BigInt(sequencers.length))];
}

/** Checks slot, seal and beneficiary: all that needs neither Bitcoin nor execution. */
export function checkSeal(spec: ChainSpec, parent: L2Header, sealed: SealedBlock): void {
  const { header } = sealed.block;
  const sequencer = sequencerAt(spec, header.timestamp);
  if (sequencer === undefined) throw invalidBlock('slot', `the timestamp ${header.timestamp} is not that of a slot`);
  if (header.timestamp <= parent.timestamp) throw invalidBlock('slot-order', "the slot is not after the parent's");
  const sealer = readSealer(sealed.seal, BigInt(spec.genesis.chainId), sealed.hash);
  if (sealer === undefined) throw invalidBlock('seal', 'the seal is not a valid signature');
  if (!equal(sealer, sequencer.signer)) {
    throw invalidBlock('seal-key', `the block is sealed by ${toHex(sealer)}, but its slot is that of ${toHex(sequencer.signer)}`);
  }
  if (!equal(header.beneficiary, sequencer.feeRecipient)) {
    throw invalidBlock('beneficiary', "the beneficiary is not the sequencer's fee recipient");
  }
}

/** Compares a header with the one that executing its block gave; names the first field that differs. */
export function checkHeader(expected: L2Header, actual: L2Header): void {
  if (!equal(expected.extraData, actual.extraData)) {
    throw invalidBlock(
      'bitcoin-reference',
      `the Bitcoin header reference is ${toHex(actual.extraData)}, but the block's Bitcoin tip is ${toHex(expected.extraData)}`,
    );
  }
  for (const field of Object.keys(expected) as (keyof L2Header)[]) {
    const [a, b] = [expected[field], actual[field]];
    const same = a instanceof Uint8Array ? equal(a, b as Uint8Array) : a === b;
    if (same) continue;
    const show = (value: Uint8Array | bigint): string => (value instanceof Uint8Array ? toHex(value) : value.toString());
    throw invalidBlock(`header-${field}`, `header field ${field} is ${show(b)}, but must be ${show(a)}`);
  }
}

/** The Bitcoin tip that a block names, internal order. */
export function bitcoinReference(header: L2Header): Uint8Array {
  return displayBytes(header.extraData);
}
