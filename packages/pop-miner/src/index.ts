export { createMinerBitcoind } from './bitcoind/bitcoind.ts';
export type { Coin } from './coin.ts';
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
export { createPopMiner, type PopMiner, type PopMinerDeps, type PopMinerOptions } from './pop-miner.ts';
export { type AddressKind, createPopWallet, type PopWallet, readPopSecret, toPopSecret } from './pop-wallet.ts';
export type { FeeMarket, KeystoneOrigin, KeystoneSource, MinerBitcoin } from './ports.ts';
export { createRpcKeystoneSource } from './rpc-keystone-source.ts';
export { KEYSTONE_WINDOW, type Sighting, sightingsIn } from './sighting.ts';
export type { BitcoinHead } from './source/bitcoin-head.ts';
export { createEsploraBitcoin } from './source/esplora.ts';
export { createTbcBitcoin } from './source/tbc.ts';
export type { PopMinerStatus, PublicationStatus } from './status.ts';
export { buildSweep, type Sweep } from './sweep.ts';
