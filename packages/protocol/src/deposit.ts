import type { BitcoinOutput, BitcoinTransaction } from './bitcoin-transaction.ts';
import { equal } from './bytes.ts';
import type { ActiveRules } from './chain-spec.ts';
import { MAX_OUTPUTS, readRecipient } from './recipient.ts';
import type { Deposit } from './tunnel.ts';

/** What decides whether a Bitcoin transaction is a deposit. */
type DepositRules = Pick<ActiveRules, 'vaults' | 'limits'>;

/**
 * The deposit that a Bitcoin transaction in a block at `height` makes (protocol section 10), or why it makes none. Whether it
 * spends a vault output, and so is none, cannot be seen from it alone.
 */
export function readDeposit(
  transaction: { txid: Uint8Array; outputs: readonly BitcoinOutput[] },
  height: number,
  { vaults, limits }: DepositRules,
): { deposit: Deposit } | { refused: string } {
  const isVault = (script: Uint8Array): boolean => vaults.some((vault) => equal(vault, script));
  const vout = transaction.outputs.findIndex(({ script }) => isVault(script));
  if (vout === -1) return { refused: 'it pays no vault' };
  if (vout >= MAX_OUTPUTS) return { refused: `it pays the vault behind its first ${MAX_OUTPUTS} outputs` };
  const recipient = readRecipient(transaction.outputs);
  if (recipient === undefined) return { refused: `it names no recipient in its first ${MAX_OUTPUTS} outputs` };
  const counted = transaction.outputs.slice(0, MAX_OUTPUTS).filter(({ script }) => isVault(script));
  const sum = counted.reduce((total, { valueSats }) => total + valueSats, 0n);
  if (sum < limits.minimumDepositSats) return { refused: `it pays the vault ${sum} sats, and ${limits.minimumDepositSats} is the minimum` };
  const { address, payload } = recipient;
  return { deposit: { txid: transaction.txid, vout, height, sats: sum - limits.depositFeeSats, recipient: address, payload } };
}

/** As {@link readDeposit}, for those who do not ask why. */
export function toDeposit(transaction: BitcoinTransaction, height: number, rules: DepositRules): Deposit | undefined {
  const read = readDeposit(transaction, height, rules);
  return 'deposit' in read ? read.deposit : undefined;
}
