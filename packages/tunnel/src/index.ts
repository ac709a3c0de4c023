export { createTunnelDerivation } from './queue.ts';
export { type TunnelRules, toTunnelTransaction } from './tunnel-item.ts';
export { toVaultSpend } from './vault-spend.ts';
