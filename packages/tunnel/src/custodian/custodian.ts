import { type BitcoinRpc, broadcast } from '@hemid/bitcoin';
import type { ChainReader } from '@hemid/chain';
import { isHemidError, toHex } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Secret, type Service } from '@hemid/runtime';
import type { Store } from '@hemid/store';
import type { Transaction } from 'bitcoinjs-lib';
import { type Batch, toUnsigned } from './batch.ts';
import { assemble, type Partial, readPartials, signBatch, toPsbt } from './batch-psbt.ts';
import type { PartialExchange } from './exchange.ts';
import { planBatch } from './plan.ts';
import { createSignedBatches } from './signed-batch.ts';
import type { VaultKeys } from './vault-keys.ts';
import type { Signing } from './vault-signing.ts';

export interface CustodianDeps {
  /** The chain of this custodian's own verifier. */
  chain: ChainReader;
  store: Store;
  /** Its own Bitcoin node, to which complete batches go. */
  bitcoin: BitcoinRpc;
  exchange: PartialExchange;
  clock: Clock;
  log: Logger;
  onFailure: (error: unknown) => void;
}

export interface CustodianOptions {
  vault: VaultKeys;
  /** This custodian's key, 32 bytes: one of the vault's. */
  key: Secret<Uint8Array>;
  pollMs: number;
}

/** One of those who hold the vault: pays withdrawals together with the others. */
export interface Custodian extends Service {
  /** Looks once, and does what can be done; @returns what that was, in words. */
  tick(signal?: AbortSignal): Promise<string>;
}

/** Complete batches that are sent again while Bitcoin does not hold them: a reorg may take them out. */
const KEPT = 4;

/**
 * Creates a custodian (protocol section 10): it builds the batch that its own verifier's chain says, notes it on disk, signs
 * it, shows its signature, takes those of the others, and sends the transaction when there are enough.
 */
export function createCustodian(deps: CustodianDeps, { vault, key, pollMs }: CustodianOptions): Custodian {
  const { chain, bitcoin, exchange, clock, log, onFailure } = deps;
  const signed = createSignedBatches(deps.store);
  const stopped = new AbortController();
  let loop: Loop | undefined;
  let said: string | undefined;

  const isInBitcoin = (transaction: Transaction): boolean =>
    chain.viewAt(chain.head('latest')).heightOfTransaction(transaction.getHash()) !== undefined;

  /** Sends a complete batch; it is no fault when Bitcoin has it already. */
  async function send(transaction: Transaction, signal?: AbortSignal): Promise<void> {
    try {
      await broadcast(bitcoin, transaction.toBuffer(), signal);
    } catch (error) {
      if (!isHemidError(error, 'bitcoin/rpc')) throw error;
      log.debug({ txid: transaction.getId(), reason: error.message }, 'bitcoin node did not take a batch');
    }
  }

  async function gather(signing: Signing, own: Partial, signal?: AbortSignal): Promise<Partial[]> {
    const txid = toUnsigned(signing.batch).getId();
    const partials = [own];
    const onTrouble = (from: string, error: unknown): void => log.warn({ from, err: error }, 'custodian does not answer');
    for (const { from, psbt } of await exchange.collect(txid, onTrouble, signal)) {
      try {
        partials.push(...readPartials(psbt, signing));
      } catch (error) {
        if (!isHemidError(error, 'tunnel/partial')) throw error;
        log.error({ from, txid, reason: error.message }, 'custodian sent what is no signature of the batch');
      }
    }
    return partials;
  }

  async function pay(batch: Batch, signal?: AbortSignal): Promise<string> {
    const signing = { batch, vault };
    if (toHex(batch.vault) !== toHex(vault.script)) return 'the vault in force is not that of this custodian';
    const firstId = batch.requests[0]?.id ?? 0n;
    const txid = toUnsigned(batch).getId();
    // On disk first: whatever happens from here on, nothing else is ever signed for these requests.
    await signed.note(batch);
    const own = signBatch(signing, key.reveal());
    await exchange.publish(txid, toPsbt(signing, [own]));
    const transaction = assemble(signing, await gather(signing, own, signal));
    if (transaction === undefined) return `batch ${firstId} (${txid}) is signed, and waits for other custodians`;
    await signed.complete(firstId, transaction.toBuffer());
    await send(transaction, signal);
    return `batch ${firstId} (${txid}) is complete and sent`;
  }

  async function tick(signal?: AbortSignal): Promise<string> {
    for (const transaction of await signed.latest(KEPT)) if (!isInBitcoin(transaction)) await send(transaction, signal);
    const plan = await planBatch(chain);
    if ('wait' in plan) return plan.wait;
    const txid = toUnsigned(plan.batch).getHash();
    if (chain.viewAt(chain.head('latest')).heightOfTransaction(txid) !== undefined) return 'the batch is paid, and waits for its settlement';
    return pay(plan.batch, signal);
  }

  async function look(signal: AbortSignal): Promise<void> {
    try {
      const now = await tick(signal);
      if (now !== said) log.info({ custodian: now }, 'custodian');
      said = now;
    } catch (error) {
      if (signal.aborted) return;
      if (!isHemidError(error) || error.severity === 'fatal') throw error;
      if (error.severity === 'retry') log.warn({ err: error }, 'custodian tries again');
      else log.error({ err: error }, 'custodian does not sign');
    }
  }

  return {
    name: 'custodian',
    tick,
    start(signal) {
      const both = AbortSignal.any([signal, stopped.signal]);
      loop = every(clock, pollMs, () => look(both), both);
      loop.done.catch(onFailure);
    },
    async stop() {
      stopped.abort();
      await loop?.done.catch(() => undefined);
    },
  };
}
