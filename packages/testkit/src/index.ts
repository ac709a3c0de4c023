export { createManualClock, type ManualClock } from './manual-clock.ts';
export {
  type BitcoinWallet,
  buildTransaction,
  coinOf,
  createBitcoinWallet,
  multisigOf,
  signTransaction,
  type WalletAddress,
  type WalletCoin,
  type WalletOutput,
} from './bitcoin-wallet.ts';
export { type Bitcoind, startBitcoind, type StartBitcoindOptions } from './bitcoind.ts';
export { freePort } from './free-port.ts';
export {
  type BitcoinActor,
  createTestNetwork,
  type NodeActor,
  type SequencerActor,
  type TestNetwork,
  type VerifierActor,
} from './test-network.ts';
export { createUser, receiptOf, type User } from './user.ts';
export { forge } from './forge.ts';
export { publishKeystone } from './pop-publisher.ts';
export { spendOtherwise } from './double-spend.ts';
export { devSpecJson, writeDevSpec } from './dev-spec.ts';
export { type ProgramProcess, startProgram, waitForOutput } from './process.ts';
export { waitFor, type WaitOptions } from './wait-for.ts';
export { createSeededRandom, type SeededRandom } from './seeded-random.ts';
