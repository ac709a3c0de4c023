import {
  type ActiveRules,
  type BitcoinTransaction,
  type BitcoinView,
  equal,
  type TunnelTransaction,
  toDeposit,
  toDepositTransaction,
  toSpendTransaction,
} from '@hemid/protocol';
import { toVaultSpend } from './vault-spend.ts';

/** What decides whether a Bitcoin transaction concerns the tunnel. */
export interface TunnelRules {
  rules: Pick<ActiveRules, 'vaults' | 'limits'>;
  view: Pick<BitcoinView, 'output'>;
}

const isVault = (vaults: readonly Uint8Array[], script: Uint8Array): boolean => vaults.some((vault) => equal(vault, script));

/** Sum of the vault outputs that a transaction spends, or `undefined` when it spends none. */
function spentFromVault(transaction: BitcoinTransaction, { rules, view }: TunnelRules): bigint | undefined {
  if (transaction.isCoinbase) return undefined;
  const spent = transaction.inputs
    .map(({ txid, vout }) => view.output(txid, vout))
    .filter((output) => output !== undefined && isVault(rules.vaults, output.script));
  return spent.length === 0 ? undefined : spent.reduce((sum, output) => sum + (output?.valueSats ?? 0n), 0n);
}

/**
 * The 0x7E that a Bitcoin transaction gives: a deposit, a vault spend, or `undefined` for neither (protocol
 * section 10). A payment to the vault that is no deposit gives nothing.
 */
export function toTunnelTransaction(transaction: BitcoinTransaction, height: number, context: TunnelRules): TunnelTransaction | undefined {
  const paid = transaction.outputs.filter(({ script }) => isVault(context.rules.vaults, script));
  const spent = spentFromVault(transaction, context);
  if (spent !== undefined) {
    return toSpendTransaction(
      toVaultSpend(
        transaction,
        spent,
        paid.reduce((sum, { valueSats }) => sum + valueSats, 0n),
      ),
    );
  }
  const deposit = toDeposit(transaction, height, context.rules);
  return deposit && toDepositTransaction(deposit);
}
