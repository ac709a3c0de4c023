import { bitcoinReference, isKeystone, sequencerAt } from '@hemid/chain';
import { devKey, devVaultScript } from '@hemid/node';
import { concat, equal, type SealedBlock, signSeal, slotAt, toDisplay, toHex } from '@hemid/protocol';
import { publishKeystone, STRANGER } from '@hemid/testkit';
import { checkFinalized } from './invariant.ts';
import { deliver, look, type Machine, relayBitcoin, type World } from './world.ts';

/** What the second sequencer does besides building. */
export const MODES = ['withhold', 'equivocate', 'freeze', 'orphan', 'withhold-long'] as const;
export type Mode = (typeof MODES)[number];

const STEPS = 26;
/** A long withholding lasts until the other branch is super-final, which it is long before that. */
const LONG_STEPS = 60;
/** A block is with everybody before Bitcoin is so many blocks further. */
const MAX_LAG = 3;
/** Bitcoin blocks that a branch is withheld at most, when it is to lose or win by the order alone. */
const SHORT = 4;

/** The second sequencer, and the twin with its key. */
export interface Cheats {
  cheat: Machine;
  twin: Machine | undefined;
}

const headOf = (machine: Machine) => machine.node.chain.head('latest');

/** Builds in the slot of now, if it is the machine's. */
async function build({ node }: Machine): Promise<SealedBlock[]> {
  const sealed = await node.duty?.tick();
  await node.settled();
  return sealed === undefined ? [] : [sealed];
}

/** Builds in the slot of now without looking at Bitcoin. */
async function buildFrozen({ spec, clock }: World, machine: Machine): Promise<SealedBlock[]> {
  const { chain } = machine.node;
  const timestamp = BigInt(Math.floor(clock.now() / 1000));
  const sequencer = sequencerAt(spec, timestamp);
  const secret = devKey('sequencer 2').secret;
  const parent = chain.head('latest');
  const isFree = timestamp > parent.header.timestamp && chain.sealedInSlot(slotAt(spec, timestamp) ?? 0n) === undefined;
  if (!isFree || sequencer === undefined || !equal(sequencer.signer, spec.genesis.sequencers[1]?.signer as Uint8Array)) return [];
  const choice = { parent, timestamp, beneficiary: sequencer.feeRecipient, attributes: undefined };
  const sealed = await chain.build(
    choice,
    async () => undefined,
    (hash) => signSeal(secret, BigInt(spec.genesis.chainId), hash),
  );
  await machine.node.settled();
  return [sealed];
}

/** Publishes, each once, keystones of a machine's branch that Bitcoin can still count. @returns the highest one's number. */
async function publish(world: World, machine: Machine, published: Set<string>): Promise<bigint> {
  const { chain, headers } = machine.node;
  let highest = 0n;
  for (let block = headOf(machine); block.header.number > 0n; block = chain.ancestorOf(block, block.header.number - 1n)) {
    if (!isKeystone(world.spec, block.header.number) || published.has(toHex(block.hash))) continue;
    const named = headers.read(bitcoinReference(block.header));
    const isOnMain = named !== undefined && (await world.bitcoin.rpc('getblockhash', [named.height]).catch(() => '')) === toDisplay(named.hash);
    if (!isOnMain) continue;
    published.add(toHex(block.hash));
    await publishKeystone(world.bitcoin.wallet, chain.keystone(block));
    if (block.header.number > highest) highest = block.header.number;
  }
  return highest;
}

async function mine(world: World, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const height = await world.bitcoin.height();
    for (const machine of world.machines) {
      await deliver(world, machine, ({ sentAt }) => height + 1 - sentAt >= MAX_LAG);
      check(world, machine);
    }
    await world.bitcoin.mineBlocks(1);
  }
}

async function reorg(world: World, depth: number): Promise<void> {
  const height = await world.bitcoin.height();
  const from = Math.min(depth, height - world.spec.genesis.bitcoin.genesisHeight - 1);
  if (from < 1) return;
  await world.bitcoin.rpc('invalidateblock', [await world.bitcoin.rpc('getblockhash', [height - from + 1])]);
  await world.bitcoin.mine({ count: from + 1, address: STRANGER });
}

function check(world: World, machine: Machine): void {
  if (machine.isHonest) checkFinalized(world, machine);
}

/** Pays the vault for a recipient that is nobody. */
async function deposit({ bitcoin, random }: World): Promise<void> {
  const recipient = concat(Uint8Array.of(0x6a, 20), new Uint8Array(20).fill(random.between(1, 255)));
  const outputs = [
    { to: devVaultScript(), valueSats: 100_000n },
    { to: recipient, valueSats: 0n },
  ];
  await bitcoin.wallet.pay({ outputs });
}

/** Lets the sequencers of the slot build, each as it is. */
async function buildAll(world: World, { cheat, twin }: Cheats, state: { mode: Mode; secret: SealedBlock[]; isSecret: boolean }): Promise<void> {
  const [first] = world.machines as [Machine];
  await world.send(first, await build(first));
  if (state.mode === 'freeze') return world.send(cheat, await buildFrozen(world, cheat));
  const blocks = await build(cheat);
  if (state.isSecret) state.secret.push(...blocks);
  else await world.send(cheat, blocks);
  if (twin !== undefined) await world.send(twin, await buildFrozen(world, twin));
}

/** The eventful part of a run: building, publishing, mining, reorgs, and one cheating sequencer. */
export async function run(world: World, mode: Mode, cheats: Cheats): Promise<void> {
  const { random, clock } = world;
  const { cheat } = cheats;
  const published = new Set<string>();
  const state = { mode, secret: [] as SealedBlock[], isSecret: false, since: 0 };
  /** Of a long withholding: the block it forks from, and the Bitcoin height at which its keystone was published. */
  const long = { fork: 0n, publishedAt: undefined as number | undefined, isOver: false };
  const isLong = mode === 'withhold-long';
  const isHiding = (): boolean => state.isSecret || (mode === 'orphan' && world.step > 12 && world.step < 24);

  async function release(): Promise<void> {
    // Everybody knows of Bitcoin what there is: all see the branch come late, or nobody.
    if (isLong) for (const machine of world.machines) await look(machine);
    state.isSecret = false;
    world.deaf = undefined;
    await world.send(cheat, state.secret.splice(0));
    if (isLong) for (const machine of world.machines) await deliver(world, machine, () => true);
  }

  async function hide(height: number): Promise<void> {
    if (isLong) for (const machine of world.machines) await deliver(world, machine, () => true);
    Object.assign(state, { isSecret: true, since: height });
    long.fork = headOf(cheat).header.number;
    world.deaf = cheat;
  }

  /** A step of a long withholding: the secret branch is published first, the open one later, and then time passes. */
  async function withhold(height: number): Promise<void> {
    const [first] = world.machines as [Machine];
    if (long.publishedAt === undefined) {
      if ((await publish(world, cheat, published)) > long.fork) long.publishedAt = height;
    } else if (height > long.publishedAt) await publish(world, first, published);
    long.isOver = first.node.chain.head('finalized').header.number >= long.fork;
    if (long.isOver) await release();
  }

  for (world.step = 1; world.step <= (isLong ? LONG_STEPS : STEPS) && !long.isOver; world.step += 1) {
    await clock.advance(world.spec.genesis.blockTime * 1000);
    const height = await world.bitcoin.height();
    if (mode.startsWith('withhold') && !state.isSecret && (isLong ? world.step === 6 : random.next() < 0.1)) await hide(height);
    if (mode === 'orphan' && world.step === 12)
      await cheat.bitcoin.mine({ count: random.between(1, 3), address: cheat.bitcoin.wallet.addresses.p2pkh });
    if (mode === 'orphan' && !isHiding()) await relayBitcoin(world);
    for (const machine of world.machines) {
      if (random.next() < 0.6) await look(machine);
      check(world, machine);
      if (machine === cheat && isHiding()) continue;
      await deliver(world, machine, ({ dueStep }) => dueStep <= world.step);
      check(world, machine);
    }
    await buildAll(world, cheats, state);
    const isQuiet = isLong && state.isSecret;
    if (!isQuiet && random.next() < 0.3) await publish(world, world.machines[0] as Machine, published);
    if (!isQuiet && random.next() < 0.3) await publish(world, cheat, published);
    if (world.step % 15 === 0) await deposit(world);
    if (isQuiet) await withhold(height);
    else if (state.isSecret && height - state.since >= SHORT - 1) await release();
    if (random.next() < 0.4 || isQuiet) await mine(world, 1);
    if (!isLong && random.next() < 0.06) {
      if (state.isSecret) await release();
      for (const machine of world.machines) await deliver(world, machine, () => true);
      await reorg(world, random.between(1, 20));
    }
  }
  if (state.isSecret) await release();
}

/** The quiet end: everything arrives, what is built is published, and Bitcoin goes on until all of it has its effect. */
export async function settle(world: World): Promise<void> {
  const [first] = world.machines as [Machine];
  const published = new Set<string>();
  async function everythingArrives(): Promise<void> {
    for (const machine of world.machines) {
      await look(machine);
      await deliver(world, machine, () => true);
      check(world, machine);
    }
  }
  await relayBitcoin(world);
  for (let round = 0; round < 6; round += 1) {
    await everythingArrives();
    for (let i = 0; i < 4; i += 1) {
      await world.clock.advance(world.spec.genesis.blockTime * 1000);
      await world.send(first, await build(first));
    }
    await everythingArrives();
    await publish(world, first, published).catch((error: unknown) => {
      if (!String(error).includes('the wallet has')) throw error;
    });
    await world.bitcoin.mineBlocks(3);
  }
  await everythingArrives();
}
