import type { BitcoinRpc } from '@hemid/bitcoin';
import {
  type AddressKind,
  createMinerBitcoind,
  createPopMiner,
  createPopWallet,
  type FeeOptions,
  type KeystoneSource,
  type PopMiner,
  type PopWallet,
} from '@hemid/pop-miner';
import type { BitcoinNetwork } from '@hemid/protocol';
import { Secret, type Service, silentLogger } from '@hemid/runtime';
import { type BitcoinWallet, createBitcoinWallet, createManualClock, type ManualClock } from '@hemid/testkit';

export const POLL_MS = 13_000;

/** A miner under test. */
export interface MinerActor {
  miner: PopMiner & Service;
  wallet: PopWallet;
  /** The same key in other hands. */
  otherHands: BitcoinWallet;
  clock: ManualClock;
  failures: unknown[];
  /** Another miner with the same key that knows nothing of this one: what a kill and a new start leave. */
  reborn(): MinerActor;
}

export interface MinerRequest {
  rpc: BitcoinRpc;
  keystones: KeystoneSource;
  name?: string;
  kind?: AddressKind;
  fees?: FeeOptions;
  network?: BitcoinNetwork;
}

/** Creates a miner whose key is made from its name. */
export function createMinerActor(request: MinerRequest): MinerActor {
  const { rpc, keystones, name = 'miner', kind = 'p2wpkh', fees = {}, network = 'regtest' } = request;
  const otherHands = createBitcoinWallet({ rpc, secret: name });
  const wallet = createPopWallet(new Secret(otherHands.secretKey), { network, kind });
  const clock = createManualClock(0);
  const failures: unknown[] = [];
  const miner = createPopMiner(
    {
      bitcoin: createMinerBitcoind({ rpc, wallet, log: silentLogger }),
      keystones,
      wallet,
      clock,
      log: silentLogger,
      onFailure: (error) => failures.push(error),
    },
    { network, fees, pollMs: POLL_MS },
  );
  return { miner, wallet, otherHands, clock, failures, reborn: () => createMinerActor(request) };
}
