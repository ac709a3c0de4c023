import type { BitcoinTransaction } from './bitcoin-transaction.ts';
import { equal } from './bytes.ts';
import type { ActiveRules } from './chain-spec.ts';
import { MAX_OUTPUTS, readRecipient } from './recipient.ts';
import type { Deposit } from './tunnel.ts';

/**
 * The deposit that a Bitcoin transaction in a block at `height` makes (protocol section 10), or `undefined`. Whether it spends
 * a vault output, and so is none, cannot be seen from it alone.
 */
export function toDeposit(
  transaction: BitcoinTransaction,
  height: number,
  { vaults, limits }: Pick<ActiveRules, 'vaults' | 'limits'>,
): Deposit | undefined {
  const isVault = (script: Uint8Array): boolean => vaults.some((vault) => equal(vault, script));
  const counted = transaction.outputs.slice(0, MAX_OUTPUTS).filter(({ script }) => isVault(script));
  const recipient = readRecipient(transaction.outputs);
  const sum = counted.reduce((total, { valueSats }) => total + valueSats, 0n);
  if (counted.length === 0 || recipient === undefined || sum < limits.minimumDepositSats) return undefined;
  return {
    txid: transaction.txid,
    vout: transaction.outputs.findIndex(({ script }) => isVault(script)),
    height,
    sats: sum - limits.depositFeeSats,
    recipient: recipient.address,
    payload: recipient.payload,
  };
}
