export { type DepositReport, type ReportDeps, reportDeposit } from './deposit-report.ts';
export { createTunnelDerivation } from './queue.ts';
export { type Recipient, readRecipient } from './recipient.ts';
export { readTunnelAt, type TunnelContract, type WithdrawalRequest } from './tunnel-contract.ts';
export { readTunnelItem, type TunnelItem, type TunnelRules, toTunnelTransaction } from './tunnel-item.ts';
export { toVaultSpend } from './vault-spend.ts';
export { type ReservesReport, reportReserves, reportWithdrawal, type WithdrawalReport } from './withdrawal-report.ts';
