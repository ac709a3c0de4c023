export { createMinerBitcoind } from './bitcoind/bitcoind.ts';
export { type Coin, outpointKey } from './coin.ts';
export { spendableCoins } from './coin-selection.ts';
export { fail } from './errors.ts';
export { type FeeOptions, TARGET_BLOCKS, toFeeRate } from './fee.ts';
export { decryptKeystore, encryptKeystore } from './key/keystore.ts';
export { defaultPath, readMnemonic } from './key/mnemonic.ts';
export { createNodeRpc, type NodeRpc } from './node-rpc.ts';
export {
  isMinersWork,
  type MempoolTransaction,
  type Outlook,
  type OutlookParts,
  type PendingTransaction,
  type Spending,
  toOutlook,
  vsizeOf,
} from './outlook.ts';
export type { Standing } from './policy.ts';
export { POLICY_DEFAULTS } from './policy.ts';
export { createPopMiner, type PopMiner, type PopMinerDeps, type PopMinerOptions } from './pop-miner.ts';
export { popVsize } from './pop-transaction.ts';
export { type AddressKind, createPopWallet, type PopWallet, readPopSecret, toPopSecret } from './pop-wallet.ts';
export type { FeeMarket, KeystoneOrigin, KeystoneSource, MinerBitcoin } from './ports.ts';
export type { AbandonedKeystone, QueueEntry, Reason } from './queue.ts';
export type { PolicyOptions } from './round.ts';
export { createRpcKeystoneSource } from './rpc-keystone-source.ts';
export { KEYSTONE_WINDOW, type Sighting, sightingsIn } from './sighting.ts';
export { type AnchoringChoice, type AnchoringOutcome, simulateAnchoring } from './simulate/anchoring.ts';
export { readYear, syntheticYear, type YearBlock } from './simulate/bitcoin-year.ts';
export { type FeePlan, readFeePlan } from './simulate/fee-plan.ts';
export type { BitcoinHead } from './source/bitcoin-head.ts';
export { createEsploraBitcoin } from './source/esplora.ts';
export { createTbcBitcoin } from './source/tbc.ts';
export type { PopMinerStatus, PublicationStatus } from './status.ts';
export { buildSweep, type Sweep } from './sweep.ts';
