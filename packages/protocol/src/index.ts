export { type AbiFunction, type AbiType, type AbiValue, abiFunction, decodeAbi } from './abi.ts';
export { ATTRIBUTES_GAS, type Attributes, decodeAttributes, encodeAttributes, toAttributesTransaction } from './attributes.ts';
export { encodeMark, hashPayments, MAX_COUNT, readMark } from './batch.ts';
export { addressToScript, type BitcoinNetwork, scriptToAddress } from './bitcoin-address.ts';
export { displayBytes, fromDisplay, sha256d, toDisplay } from './bitcoin-hash.ts';
export { type BitcoinHeader, decodeBitcoinHeader, encodeBitcoinHeader, HEADER_SIZE, hashBitcoinHeader } from './bitcoin-header.ts';
export { type BitcoinInput, type BitcoinOutput, type BitcoinTransaction, isUnspendable, sizesOf } from './bitcoin-transaction.ts';
export type {
  BitcoinTip,
  BitcoinView,
  Page,
  PlacedHeader,
  PlacedOutput,
  PlacedTransaction,
  Publication,
  UnspentOutput,
} from './bitcoin-view.ts';
export { compare, concat, equal, fromBigEndian, fromHex, fromMinimal, type Hex, toBigEndian, toDigits, toHex, toMinimal } from './bytes.ts';
export { canonicalJson } from './canonical-json.ts';
export {
  type ActiveRules,
  type ChainSpec,
  DEFAULT_SIGNET_CHALLENGE,
  type GenesisAccount,
  type GenesisSpec,
  headersBeforeCount,
  parseChainSpec,
  rulesAt,
  type Sequencer,
  slotAt,
  systemBudget,
  type TunnelLimits,
} from './chain-spec.ts';
export { COUNTING_DEPTH, counts } from './counting.ts';
export { readDeposit, toDeposit } from './deposit.ts';
export { descriptorChecksum } from './descriptor-checksum.ts';
export { type AccountWrite, DEVELOPMENT_TYPE, type DevelopmentTransaction } from './development-transaction.ts';
export {
  type DifficultyAncestor,
  type DifficultyContext,
  hasProofOfWork,
  RETARGET_PERIOD,
  requiredBits,
  toBits,
  toTarget,
  workOf,
} from './difficulty.ts';
export { type ErrorOptions, type ErrorTable, errorsOf, HemidError, isHemidError, type Severity } from './error.ts';
export { brokenRule, type HeaderContext, MEDIAN_WINDOW, medianTime, minimumVersion } from './header-rules.ts';
export {
  type AbbreviatedKeystone,
  abbreviate,
  decodeAbbreviated,
  encodeAbbreviated,
  fromKeystoneId,
  fromKeystoneJson,
  hashAbbreviated,
  hashKeystone,
  KEYSTONE_SIZE,
  type Keystone,
  type KeystoneJson,
  toKeystoneId,
  toKeystoneJson,
} from './keystone.ts';
export { readL2Address, toChecksumAddress } from './l2-address.ts';
export { decodeSealedBlock, encodeSealedBlock, type L2Block, type SealedBlock } from './l2-block.ts';
export {
  decodeHeader,
  decodeRlp,
  EMPTY_OMMERS_HASH,
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  encodeHeader,
  hashHeader,
  headerFromItems,
  headerToItems,
  type L2Header,
} from './l2-header.ts';
export { decodePayout, encodePayout, type Payout, toPayoutTransaction } from './payout.ts';
export { addressOfKey, type PopInput, readMiner } from './pop-identity.ts';
export { encodePopScript, readPopScript, readPush } from './pop-script.ts';
export {
  BITCOIN_KIT_ADDRESS,
  CURSOR_HASH_SLOT,
  CURSOR_NEXT_SLOT,
  DEAD_ADDRESS,
  DEPOSIT_CALLER_ADDRESS,
  FEE_VAULT_ADDRESS,
  HISTORY_ADDRESS,
  historySlot,
  POP_REWARD_ADDRESS,
  paidSlot,
  SYSTEM_ADDRESS,
  seenSlot,
  TUNNEL_ADDRESS,
  TUNNEL_SUMS_SLOT,
  type TunnelSums,
  toTunnelSums,
  WRAPPED_HBTC_ADDRESS,
} from './predeploy.ts';
export { bloomOf, decodeReceipts, encodeConsensusReceipt, encodeReceipts, encodeReceiptWith, type Log, type Receipt } from './receipt.ts';
export { encodeRecipient, MAX_OUTPUTS, type Recipient, readRecipient } from './recipient.ts';
export { encodeRlp, type RlpItem } from './rlp.ts';
export { readSealer, SEAL_SIZE, sealDigest, signSeal } from './seal.ts';
export {
  ATTRIBUTES_TYPE,
  type AttributesTransaction,
  decodeSystemTransaction,
  decodeTunnelTransaction,
  encodeSystemTransaction,
  encodeTunnelTransaction,
  hashTransaction,
  isSystemEnvelope,
  PAYOUT_TYPE,
  type PayoutTransaction,
  type SystemEnvelope,
  type SystemTransaction,
  TUNNEL_TYPE,
  type TunnelTransaction,
} from './system-transaction.ts';
export { tapLeafHash, tapTweak } from './taproot.ts';
export { type ReadTransaction, readTransactions } from './transaction-reader.ts';
export {
  type Deposit,
  readTunnelTransaction,
  toDepositTransaction,
  toSpendTransaction,
  txidOfTunnelTransaction,
  type VaultSpend,
  WEI_PER_SAT,
} from './tunnel.ts';
export { type ConfigurationSlot, clearedSlot, configurationChanges, genesisConfiguration } from './tunnel-configuration.ts';
export { toWshVault, type Vault, type VaultSpending, vaultScript } from './vault-descriptor.ts';
export { readVaultDescriptor } from './wallet-descriptor.ts';
