import { canonicalJson, fromHex, toHex } from '@hemid/protocol';
import * as z from 'zod';
import { fail } from './errors.ts';

/** The first field of every proof of this form. */
export const PROOF_FORMAT = 'hemid-provenance-v1';

const bytes = z
  .string()
  .regex(/^0x([0-9a-f]{2})*$/)
  .transform(fromHex);
const bytesOf = (size: number) => bytes.refine((value) => value.length === size, `must have ${size} bytes`);
const count = z.int().min(0).max(0xffffffff);
const nodes = z.array(bytes).describe('RLP of trie nodes from the root down');

const bitcoinInclusion = z.strictObject({
  height: count.describe('of the Bitcoin block'),
  index: count.describe('of the transaction in it'),
  transaction: bytes.describe('serialised without witnesses'),
  branch: z.array(bytesOf(32)).describe('merkle branch of the transaction, from the leaf up, internal order'),
  coinbase: bytes.describe('serialised without witnesses'),
  coinbaseBranch: z.array(bytesOf(32)).describe('merkle branch of the coinbase, as long as the other'),
});

const inclusion = z.strictObject({ index: count, transaction: nodes, receipt: nodes });

/** An L2 block up to its anchor. */
const anchored = {
  headers: z.array(bytes).min(2).describe('RLP of the L2 headers, from the block that is proven to the keystone block'),
  history: z
    .strictObject({ account: nodes, parent: nodes, previous: nodes.optional() })
    .describe("in the keystone block's state: the EIP-2935 contract, its slot of the parent hash, and that of the keystone before"),
  seal: bytesOf(65).describe('of the keystone block'),
  anchor: bitcoinInclusion.describe('the transaction that publishes the keystone'),
};

const withdrawal = z.strictObject({
  id: count.describe('which of the requests of the transaction it is'),
  payment: bitcoinInclusion.describe('the batch that pays it'),
  settlement: z.strictObject({ inclusion, ...anchored }).describe('the transaction that settles the batch, and its block up to an anchor'),
});

const proof = z.strictObject({
  format: z.literal(PROOF_FORMAT),
  spec: bytesOf(32).describe("the chain spec's hash, which is the genesis block's mixHash"),
  lock: bitcoinInclusion.optional().describe('of a deposit: the transaction that pays the vault'),
  inclusion: inclusion.optional().describe('of all but a block: the place of the transaction in the first block'),
  ...anchored,
  withdrawal: withdrawal.optional().describe('of a withdrawal: what follows on its request'),
  bitcoin: z
    .strictObject({
      height: count.describe('of the first header'),
      headers: bytes.describe('80 bytes each, one behind the other'),
      tip: bytesOf(32).describe('hash of the last one, internal order'),
    })
    .describe('one run of Bitcoin headers'),
});

/** One file that joins the three logs (protocol section 11); `docs/provenance.md` describes every field. */
export type Proof = z.output<typeof proof>;
/** The part from an L2 block up to the publication of a keystone above it. */
export type AnchoredBlock = Pick<Proof, 'inclusion' | 'headers' | 'history' | 'seal' | 'anchor'>;
/** What follows on a request to withdraw. */
export type WithdrawalPart = z.output<typeof withdrawal>;
/** A transaction in a Bitcoin block. */
export type BitcoinInclusion = z.output<typeof bitcoinInclusion>;

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [[name, toJson(field)]])));
}

/** The one text of a proof: canonical JSON (RFC 8785), bytes as lowercase hex with 0x. */
export function encodeProof(value: Proof): string {
  return canonicalJson(toJson(value));
}

/** A proof from JSON; @throws `provenance/form` naming every field that is wrong or unknown. */
export function proofFromJson(json: unknown): Proof {
  const parsed = proof.safeParse(json);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw fail('provenance/form', `this is no proof: ${lines.join('; ')}`);
}

/** The inverse of {@link encodeProof}; @throws `provenance/form` for every other text. */
export function decodeProof(text: string): Proof {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail('provenance/form', 'this is no proof: it is not JSON', { cause });
  }
  const value = proofFromJson(json);
  if (encodeProof(value) !== text) throw fail('provenance/form', 'this is no proof: it is not written in the canonical form');
  return value;
}
