import {
  type ActiveRules,
  type BitcoinTransaction,
  type BitcoinView,
  type Deposit,
  equal,
  readDeposit,
  type TunnelTransaction,
  toDepositTransaction,
  toSpendTransaction,
  type VaultSpend,
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

/** What a Bitcoin transaction is to the tunnel; `refused` says in words why it is nothing. */
export type TunnelItem = { deposit: Deposit } | { spend: VaultSpend } | { refused: string };

/** Reads a Bitcoin transaction as the tunnel sees it (protocol section 10). */
export function readTunnelItem(transaction: BitcoinTransaction, height: number, context: TunnelRules): TunnelItem {
  const spent = spentFromVault(transaction, context);
  if (spent === undefined) return readDeposit(transaction, height, context.rules);
  const paid = transaction.outputs.map((output, vout) => ({ ...output, vout })).filter(({ script }) => isVault(context.rules.vaults, script));
  return { spend: toVaultSpend(transaction, spent, paid) };
}

/** The 0x7E that a Bitcoin transaction gives, or `undefined` when it is neither a deposit nor a vault spend. */
export function toTunnelTransaction(transaction: BitcoinTransaction, height: number, context: TunnelRules): TunnelTransaction | undefined {
  const item = readTunnelItem(transaction, height, context);
  if ('refused' in item) return undefined;
  return 'deposit' in item ? toDepositTransaction(item.deposit) : toSpendTransaction(item.spend);
}
