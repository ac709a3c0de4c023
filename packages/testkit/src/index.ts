export { createSeededRandom, type SeededRandom } from '@hemid/runtime';
export { type BitcoinActor, createEmbeddedBitcoin, createRealBitcoin, STRANGER } from './bitcoin-actor.ts';
export {
  type BitcoinLab,
  type BitcoinLabOptions,
  createBitcoinLab,
  type LabBlock,
  type LabInput,
  type LabOutput,
  type LabTransaction,
  labSpec,
  labTransaction,
} from './bitcoin-lab.ts';
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
export { type Bitcoind, type StartBitcoindOptions, startBitcoind } from './bitcoind.ts';
export { type BitcoindDoor, type ChangedResults, openBitcoindDoor } from './bitcoind-door.ts';
export { type CountingStore, createCountingStore } from './counting-store.ts';
export { developmentSpecJson, devSpecJson, writeDevSpec } from './dev-spec.ts';
export { spendOtherwise } from './double-spend.ts';
export { type EsploraServer, serveEsplora } from './esplora-server.ts';
export { createFaultyStore, type FaultPlan, type FaultyStore } from './faulty-store.ts';
export { checkFollower, dumpStore, type FollowerCase } from './follower-compliance.ts';
export { forge } from './forge.ts';
export { freePort } from './free-port.ts';
export { createLoadSigner, type LoadCall, type LoadSigner } from './load-signer.ts';
export { createManualClock, type ManualClock } from './manual-clock.ts';
export { publishKeystone } from './pop-publisher.ts';
export { type ProgramEnd, type ProgramProcess, runProgram, startProgram, waitForOutput } from './process.ts';
export {
  createTestNetwork,
  type NodeActor,
  type SequencerActor,
  type TestNetwork,
  type VerifierActor,
} from './test-network.ts';
export { createUser, receiptOf, type User } from './user.ts';
export { batchMark, createVaultActor, type VaultActor } from './vault-actor.ts';
export { type WaitOptions, waitFor } from './wait-for.ts';
