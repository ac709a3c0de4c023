import {
  type ActiveRules,
  type BitcoinTransaction,
  type BitcoinView,
  equal,
  type TunnelTransaction,
  toDepositTransaction,
  toSpendTransaction,
} from '@hemid/protocol';
import { MAX_OUTPUTS, readRecipient } from './recipient.ts';
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
  const { vaults, limits } = context.rules;
  const paid = transaction.outputs.map((output, vout) => ({ ...output, vout })).filter(({ script }) => isVault(vaults, script));
  const spent = spentFromVault(transaction, context);
  if (spent !== undefined) return toSpendTransaction(toVaultSpend(transaction, spent, paid));
  const counted = paid.filter(({ vout }) => vout < MAX_OUTPUTS);
  const [first] = counted;
  const recipient = readRecipient(transaction.outputs);
  const sum = counted.reduce((total, { valueSats }) => total + valueSats, 0n);
  if (first === undefined || recipient === undefined || sum < limits.minimumDepositSats) return undefined;
  return toDepositTransaction({
    txid: transaction.txid,
    vout: first.vout,
    height,
    sats: sum - limits.depositFeeSats,
    recipient: recipient.address,
    payload: recipient.payload,
  });
}
