import { type BitcoinTransaction, hashPayments, readMark, type VaultSpend } from '@hemid/protocol';

export { encodeMark, MAX_COUNT, readMark } from '@hemid/protocol';

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
    outputsHash: hashPayments(transaction.outputs.slice(0, count)),
  };
}
