import { readFileSync } from 'node:fs';
import { type ChainSpec, HemidError, parseChainSpec, type SealedBlock, type Severity } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { createManualClock, type ManualClock } from '@hemid/testkit';
import { beforeEach, expect, test } from 'vitest';
import { type Builder, createSlotDuty, type SlotDuty } from '../src/index.ts';

const START = 1_800_000_000;
const signers = [1, 2, 3].map((n) => new Uint8Array(20).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];
const regtest = parseChainSpec(JSON.parse(readFileSync(new URL('../../../configs/regtest.json', import.meta.url), 'utf8')));
/** Slots of two seconds, three sequencers in turn. */
const spec: ChainSpec = {
  ...regtest,
  genesis: { ...regtest.genesis, time: START, blockTime: 2, sequencers: signers.map((signer) => ({ signer, feeRecipient: signer })) },
};

let clock: ManualClock;
/** Slots in which a block was asked for, and what the builder does then. */
let asked: number[];
let behaviour: (slot: number) => SealedBlock | undefined;
let failures: unknown[];
beforeEach(() => {
  clock = createManualClock(START * 1000);
  asked = [];
  failures = [];
  behaviour = () => undefined;
});

function dutyOf(signer: Uint8Array): SlotDuty {
  const builder: Builder = {
    async build({ timestamp }) {
      const slot = (Number(timestamp) - START) / 2;
      asked.push(slot);
      return behaviour(slot);
    },
  };
  return createSlotDuty({ spec, builder, clock, log: silentLogger, onSealed: () => undefined, onFailure: (e) => failures.push(e) }, { signer });
}

const error = (severity: Severity): HemidError => new HemidError('test/what', severity, severity);

test('a sequencer builds in its own slots and in no other', async () => {
  const controller = new AbortController();
  const duty = dutyOf(signers[1]);
  await duty.start(controller.signal);
  await clock.advance(20_000);
  controller.abort();
  await duty.stop();
  expect(asked).toEqual([1, 4, 7, 10]);
  await clock.advance(20_000);
  expect(asked).toHaveLength(4);
});

test('slot 0 is the genesis, which nobody builds, and before it there is nothing', async () => {
  const duty = dutyOf(signers[0]);
  await duty.tick();
  await clock.advance(1_999);
  await duty.tick();
  expect(asked).toEqual([]);
  await clock.advance(4_001);
  await duty.tick();
  expect(asked).toEqual([3]);
});

test('a block is asked for at the start of a slot, even if the node starts in the middle of one', async () => {
  const controller = new AbortController();
  await clock.advance(5_300);
  const times: number[] = [];
  behaviour = () => void times.push(clock.now() - START * 1000) as undefined;
  const duty = dutyOf(signers[2]);
  await duty.start(controller.signal);
  await clock.advance(12_000);
  controller.abort();
  await duty.stop();
  expect(times).toEqual([5_300, 10_000, 16_000]);
});

test('missing data costs the slot, not the node', async () => {
  const controller = new AbortController();
  behaviour = (slot) => {
    if (slot === 1) throw error('retry');
    return undefined;
  };
  const duty = dutyOf(signers[1]);
  await duty.start(controller.signal);
  await clock.advance(8_000);
  controller.abort();
  await duty.stop();
  expect(asked).toEqual([1, 4]);
  expect(failures).toEqual([]);
});

test('any other error ends the duty and is reported', async () => {
  behaviour = () => {
    throw error('fatal');
  };
  const duty = dutyOf(signers[1]);
  await duty.start(new AbortController().signal);
  await clock.advance(20_000);
  expect(asked).toEqual([1]);
  expect(failures).toMatchObject([{ severity: 'fatal' }]);
});

test('a sequencer whose block took longer than its slot builds in what is left of the next one', async () => {
  const alone: ChainSpec = { ...spec, genesis: { ...spec.genesis, sequencers: spec.genesis.sequencers.slice(0, 1) } };
  const controller = new AbortController();
  const begun: number[] = [];
  const builder: Builder = {
    async build() {
      begun.push(clock.now() - START * 1000);
      await clock.sleep(begun.length === 1 ? 2_500 : 10);
      return undefined;
    },
  };
  const deps = { spec: alone, builder, clock, log: silentLogger, onSealed: () => undefined, onFailure: (e: unknown) => failures.push(e) };
  const duty = createSlotDuty(deps, { signer: signers[0] });
  await duty.start(controller.signal);
  for (let i = 0; i < 90; i += 1) await clock.advance(100);
  controller.abort();
  await duty.stop();
  expect(begun).toEqual([2_000, 4_500, 6_000, 8_000]);
  expect(failures).toEqual([]);
});
