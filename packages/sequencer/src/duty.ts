import { sequencerAt } from '@hemid/chain';
import { type ChainSpec, equal, isHemidError, type SealedBlock } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import type { Builder } from './builder.ts';

export interface SlotDutyDeps {
  spec: ChainSpec;
  builder: Builder;
  clock: Clock;
  log: Logger;
  /** Called with every block that was sealed, after it is on disk. */
  onSealed: (block: SealedBlock) => void;
  /** Called with the error that ended the loop. */
  onFailure: (error: unknown) => void;
}

/** Builds a block in each of this sequencer's slots, when its time has come. */
export interface SlotDuty extends Service {
  /** Builds for the slot of now, if it is this sequencer's and not taken yet. */
  tick(): Promise<SealedBlock | undefined>;
}

/** Creates the duty of the sequencer whose address is `signer`. */
export function createSlotDuty(deps: SlotDutyDeps, options: { signer: Uint8Array }): SlotDuty {
  const { spec, builder, clock, log } = deps;
  const blockTimeMs = spec.genesis.blockTime * 1000;
  const genesisMs = spec.genesis.time * 1000;
  let loop: Loop | undefined;
  let trouble: string | undefined;

  const slotNow = (): number => Math.floor((clock.now() - genesisMs) / blockTimeMs);

  async function tick(): Promise<SealedBlock | undefined> {
    const slot = slotNow();
    if (slot < 1) return undefined;
    const timestamp = BigInt(spec.genesis.time + slot * spec.genesis.blockTime);
    const sequencer = sequencerAt(spec, timestamp);
    if (sequencer === undefined || !equal(sequencer.signer, options.signer)) return undefined;
    const sealed = await builder.build({ timestamp, sequencer });
    if (sealed !== undefined) deps.onSealed(sealed);
    return sealed;
  }

  async function round(signal: AbortSignal): Promise<void> {
    const slot = slotNow();
    try {
      await tick();
      trouble = undefined;
    } catch (error) {
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      if (trouble !== error.message) log.warn({ code: error.code }, `no block in this slot: ${error.message}`);
      trouble = error.message;
    }
    // A block that took until after its slot leaves what is left of the next one.
    const nextMs = genesisMs + (slot + 1) * blockTimeMs;
    await clock.sleep(Math.max(0, nextMs - clock.now()), signal);
  }

  return {
    name: 'sequencer',
    tick,
    start(signal) {
      loop = every(clock, 0, () => round(signal), signal);
      loop.done.catch(deps.onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
