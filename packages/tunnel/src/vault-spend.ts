import { type BitcoinOutput, type BitcoinTransaction, concat, fromBigEndian, readPush, toBigEndian, type VaultSpend } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';

const OP_RETURN = 0x6a;
/** Requests that one batch pays at most. */
export const MAX_COUNT = 64;
/** "HEMW" ‖ firstId u64 ‖ count u16. */
const MARK_SIZE = 14;
/** Of the script of an output in a batch: its length is hashed as 16 bits. */
const MAX_SCRIPT = 0xffff;

/** The script of a batch's last output: "HEMW" ‖ firstId ‖ count. */
export function encodeMark(firstId: bigint, count: number): Uint8Array {
  const data = concat(new TextEncoder().encode('HEMW'), toBigEndian(firstId, 8), toBigEndian(count, 2));
  return concat(Uint8Array.of(OP_RETURN, data.length), data);
}

/** The batch that the last output names, or `undefined`. */
export function readMark(outputs: readonly Pick<BitcoinOutput, 'script'>[]): { firstId: bigint; count: number } | undefined {
  const script = outputs[outputs.length - 1]?.script;
  if (script?.[0] !== OP_RETURN) return undefined;
  const push = readPush(script.subarray(1));
  if (push === undefined || push.rest.length > 0 || push.data.length !== MARK_SIZE) return undefined;
  if (Buffer.from(push.data.subarray(0, 4)).toString('latin1') !== 'HEMW') return undefined;
  const count = Number(fromBigEndian(push.data.subarray(12, 14)));
  if (count > MAX_COUNT || count > outputs.length) return undefined;
  if (outputs.slice(0, count).some((output) => output.script.length > MAX_SCRIPT)) return undefined;
  return { firstId: fromBigEndian(push.data.subarray(4, 12)), count };
}

/** keccak256 over (sats u64 ‖ script length u16 ‖ script) of outputs. */
function hashOutputs(outputs: readonly BitcoinOutput[]): Uint8Array {
  const parts = outputs.map(({ valueSats, script }) => concat(toBigEndian(valueSats, 8), toBigEndian(script.length, 2), script));
  return keccak_256(concat(...parts));
}

/**
 * What a transaction that spends vault outputs says of itself (protocol section 10): `vaultIn` is their sum, `paid` its outputs
 * to a vault. Those among the first `count` pay withdrawals: a script that became a vault's after somebody asked to be paid
 * there must not make the batch a breach.
 */
export function toVaultSpend(transaction: BitcoinTransaction, vaultIn: bigint, paid: readonly { vout: number; valueSats: bigint }[]): VaultSpend {
  const { firstId, count } = readMark(transaction.outputs) ?? { firstId: 0n, count: 0 };
  const vaultOut = paid.filter(({ vout }) => vout >= count).reduce((sum, { valueSats }) => sum + valueSats, 0n);
  return {
    txid: transaction.txid,
    firstId,
    count,
    netSats: vaultIn > vaultOut ? vaultIn - vaultOut : 0n,
    outputsHash: hashOutputs(transaction.outputs.slice(0, count)),
  };
}
