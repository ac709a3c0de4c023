export { type FeeOptions, toFeeRate } from './fee.ts';
export { decryptKeystore, encryptKeystore } from './key/keystore.ts';
export { defaultPath, readMnemonic } from './key/mnemonic.ts';
export { createPopMiner, type PopMiner, type PopMinerDeps, type PopMinerOptions } from './pop-miner.ts';
export { type AddressKind, createPopWallet, type PopWallet, readPopSecret, toPopSecret } from './pop-wallet.ts';
export type { KeystoneSource } from './ports.ts';
export { createRpcKeystoneSource } from './rpc-keystone-source.ts';
export type { PopMinerStatus, PublicationStatus } from './status.ts';
