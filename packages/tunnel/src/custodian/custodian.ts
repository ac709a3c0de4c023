import { type BitcoinRpc, broadcast } from '@hemid/bitcoin';
import type { ChainReader } from '@hemid/chain';
import { equal, isHemidError } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Secret, type Service } from '@hemid/runtime';
import type { Store } from '@hemid/store';
import type { Transaction } from 'bitcoinjs-lib';
import { toUnsigned } from './batch.ts';
import { assemble, type Partial, readPartials, signBatch, toPsbt } from './batch-psbt.ts';
import type { Bumper } from './bump.ts';
import { type BatchStatus, type CustodianStatus, reportCustodian, type Trouble, toBatchStatus } from './custodian-status.ts';
import type { PartialExchange } from './exchange.ts';
import { planBatch } from './plan.ts';
import { type CustodianPolicy, type DecidedBatch, whyHeld } from './policy.ts';
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
  /** Pays more for a batch that waits too long; nobody does when it is left out. */
  bumper?: Bumper;
  /** Why the operator has paused this custodian, or `undefined`; asked at every look. */
  paused?: () => string | undefined;
  /** Is told after every look of the loop how things stand. */
  report?: (status: CustodianStatus) => void;
}

/** A vault, and this custodian's key of it, 32 bytes. */
export interface VaultHolder {
  vault: VaultKeys;
  key: Secret<Uint8Array>;
}

export interface CustodianOptions extends VaultHolder {
  /** Vaults that are given up, as long as there are coins on them. */
  former?: readonly VaultHolder[];
  pollMs: number;
  policy: CustodianPolicy;
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
export function createCustodian(deps: CustodianDeps, { vault, key, former = [], pollMs, policy }: CustodianOptions): Custodian {
  const { chain, bitcoin, bumper, exchange, clock, log, onFailure, paused = () => undefined, report = () => undefined } = deps;
  const signed = createSignedBatches(deps.store);
  const stopped = new AbortController();
  const holders: readonly VaultHolder[] = [{ vault, key }, ...former];
  let loop: Loop | undefined;
  let said: string | undefined;
  let signing: BatchStatus | undefined;
  let troubles: Trouble[] = [];

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

  async function bump(transaction: Transaction, signal?: AbortSignal): Promise<void> {
    try {
      const done = await bumper?.bump(transaction, signal);
      if (done !== undefined) log.info({ bump: done }, 'custodian bumps');
    } catch (error) {
      if (!isHemidError(error, 'bitcoin/rpc')) throw error;
      log.warn({ txid: transaction.getId(), reason: error.message }, 'custodian could not bump a batch');
    }
  }

  async function gather(batchSigning: Signing, own: Partial, signal?: AbortSignal): Promise<Partial[]> {
    const txid = toUnsigned(batchSigning.batch).getId();
    const partials = [own];
    const onTrouble = (from: string, error: unknown): void => {
      log.warn({ from, err: error }, 'custodian does not answer');
      troubles.push({ from, what: (error as Error).message });
    };
    for (const { from, psbt } of await exchange.collect(txid, onTrouble, signal)) {
      try {
        partials.push(...readPartials(psbt, batchSigning));
      } catch (error) {
        if (!isHemidError(error, 'tunnel/partial')) throw error;
        log.error({ from, txid, reason: error.message }, 'custodian sent what is no signature of the batch');
        troubles.push({ from, what: error.message });
      }
    }
    return partials;
  }

  async function pay(decided: DecidedBatch, signal?: AbortSignal): Promise<string> {
    const { batch, source } = decided;
    const holder = holders.find((one) => equal(one.vault.script, source));
    if (holder === undefined) return 'this custodian has no key of the vault that pays';
    const both = { batch, vault: holder.vault };
    const firstId = batch.requests[0]?.id ?? 0n;
    const txid = toUnsigned(batch).getId();
    const held = await whyHeld(chain, decided, policy);
    if (held !== undefined) return `batch ${firstId} (${txid}) is held back: ${held}`;
    // On disk first: whatever happens from here on, nothing else is ever signed for these requests.
    await signed.note(batch);
    const own = signBatch(both, holder.key.reveal());
    await exchange.publish(txid, toPsbt(both, [own]));
    const partials = await gather(both, own, signal);
    signing = toBatchStatus(batch, txid, { vault: holder.vault, partials });
    const transaction = assemble(both, partials);
    if (transaction === undefined) return `batch ${firstId} (${txid}) is signed, and waits for other custodians`;
    await signed.complete(firstId, transaction.toBuffer());
    await send(transaction, signal);
    return `batch ${firstId} (${txid}) is complete and sent`;
  }

  async function tick(signal?: AbortSignal): Promise<string> {
    troubles = [];
    signing = undefined;
    const reason = paused();
    if (reason !== undefined) return `paused: ${reason}`;
    for (const transaction of await signed.latest(KEPT)) {
      if (isInBitcoin(transaction)) continue;
      await send(transaction, signal);
      await bump(transaction, signal);
    }
    const plan = await planBatch(chain);
    if ('wait' in plan) return plan.wait;
    return pay(plan, signal);
  }

  async function tryTick(signal: AbortSignal): Promise<string> {
    try {
      return await tick(signal);
    } catch (error) {
      if (signal.aborted || !isHemidError(error) || error.severity === 'fatal') throw error;
      if (error.severity === 'retry') log.warn({ err: error }, 'custodian tries again');
      else log.error({ err: error }, 'custodian does not sign');
      return `${error.message} (${error.code})`;
    }
  }

  async function look(signal: AbortSignal): Promise<void> {
    try {
      const says = await tryTick(signal);
      if (says !== said) log.info({ custodian: says }, 'custodian');
      said = says;
      report(await reportCustodian(chain, { says, batch: signing, troubles, latest: await signed.latest(KEPT) }));
    } catch (error) {
      // The chain may move while it is read for the report: the next look reads it again.
      if (!signal.aborted && (!isHemidError(error) || error.severity === 'fatal')) throw error;
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
