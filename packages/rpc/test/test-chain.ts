import { type BlockStore, bitcoinIndex, createBlockStore, createWalker, openHeaderChain, openRegtest } from '@hemid/bitcoin';
import { bitcoinReference, type Chain, chooseRun, type Derivation, openChain } from '@hemid/chain';
import { depositCaller, feeVault, popReward, tunnel } from '@hemid/contracts';
import { type ChainSpec, encodeSealedBlock, fromHex, parseChainSpec, type SealedBlock, scriptToAddress, signSeal, toHex } from '@hemid/protocol';
import { type Clock, silentLogger } from '@hemid/runtime';
import { createPool, type Pool } from '@hemid/sequencer';
import { openMemoryStore } from '@hemid/store';
import { type Address, parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const BITCOIN_GENESIS =
  '0x0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000';
const HISTORY_CODE =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';
const SEQUENCER_KEY = fromHex('5e'.repeat(32));
const script = (byte: string): Uint8Array => fromHex(`0014${byte.repeat(20)}`);
const regtestAddress = (byte: string): string => scriptToAddress(script(byte), 'regtest') ?? '';

/** A user with coins in the genesis. */
export const alice = privateKeyToAccount(`0x${'a1'.repeat(32)}`);
/** A user without coins. */
export const beggar = privateKeyToAccount(`0x${'be'.repeat(32)}`);
/** Seconds since 1970 of block 0. */
export const GENESIS_TIME = 1_700_000_000;
export const CHAIN_ID = 17_017;

const predeploys: [Address, { deployedBytecode: string }][] = [
  ['0x4200000000000000000000000000000000000019', feeVault],
  ['0x4200000000000000000000000000000000000042', popReward],
  ['0x4200000000000000000000000000000000000100', tunnel],
  ['0x4200000000000000000000000000000000000101', depositCaller],
];

function testSpec(): ChainSpec {
  const sealer = privateKeyToAccount(toHex(SEQUENCER_KEY)).address.toLowerCase();
  return parseChainSpec({
    genesis: {
      name: 'rpc-test',
      chainId: CHAIN_ID,
      time: GENESIS_TIME,
      blockTime: 1,
      gasLimit: 30_000_000,
      elasticity: 2,
      baseFeeDenominator: 8,
      baseFee: '10000000',
      hardfork: 'osaka',
      allocation: {
        '0x0000f90827f1c53a10cb7a02335b175320002935': { nonce: 1, code: HISTORY_CODE },
        ...Object.fromEntries(predeploys.map(([address, { deployedBytecode }]) => [address, { nonce: 1, code: deployedBytecode }])),
        [alice.address.toLowerCase()]: { balance: parseEther('1000').toString() },
      },
      sequencers: [{ signer: sealer, feeRecipient: `0x${'fe'.repeat(20)}` }],
      keystonePeriod: 5,
      bitcoin: { network: 'regtest', genesisHeight: 0, genesisHeader: BITCOIN_GENESIS, headersBefore: [], unspent: 'none', indexLag: 2 },
      finality: { super: 10, ultra: 20 },
      popPool: '100000000000000000000',
      tunnel: {
        vault: regtestAddress('aa'),
        confirmations: 6,
        limits: { minimumDepositSats: 50_000, depositFeeSats: 2000, withdrawalFeeSats: 3000, minimumWithdrawalSats: 40_000 },
      },
      quirks: { emptyHeaderAtHeight: false, emptySpentOutput: false },
    },
    upgrades: [],
  });
}

/** A real chain on a memory store with an embedded Bitcoin, which the test moves block by block. */
export interface TestChain {
  chain: Chain;
  pool: Pool;
  bitcoin: BlockStore;
  /** Builds a block on the head with what waits in the pool, `skip` slots later than the next. */
  build(skip?: number): Promise<SealedBlock>;
  /** Builds `count` blocks. */
  buildMany(count: number): Promise<void>;
  /** Mines Bitcoin blocks, which the next L2 block names. */
  mine(count: number): Promise<void>;
  /** Imports a block of another chain of this kind. */
  take(block: SealedBlock): Promise<void>;
  close(): Promise<void>;
}

/** Opens a {@link TestChain}; `derivations` add system transactions. */
export async function openTestChain(clock: Clock, derivations: readonly Derivation[] = []): Promise<TestChain> {
  const spec = testSpec();
  const store = await openMemoryStore();
  const regtest = await openRegtest({ store: await openMemoryStore(), clock, log: silentLogger });
  const headers = await openHeaderChain(store, spec);
  const blocks = createBlockStore(store);
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  const anchors = { position: async () => undefined, tip: () => headers.genesis };
  const chain = await openChain({ spec, store, headers, blocks, index, derivations, anchors });
  const pool = createPool({ chain, common: chain.execution.common, clock, log: silentLogger });

  async function build(skip = 0): Promise<SealedBlock> {
    const parent = chain.head('latest');
    const timestamp = parent.header.timestamp + 1n + BigInt(skip);
    const attributes = chooseRun(headers, bitcoinReference(parent.header), { blocks, latestTime: Number.MAX_SAFE_INTEGER });
    const sealed = await chain.build(
      { parent, timestamp, beneficiary: fromHex('fe'.repeat(20)), attributes },
      async ({ execution }) => {
        const cursor = pool.candidates(execution.header.baseFeePerGas);
        for (let next = cursor.next(); next !== undefined; next = cursor.next()) await execution.user(next);
      },
      (hash) => signSeal(SEQUENCER_KEY, BigInt(spec.genesis.chainId), hash),
    );
    await pool.follow({ removed: [], added: [{ header: sealed.block.header, hash: sealed.hash }] });
    return sealed;
  }

  return {
    chain,
    pool,
    bitcoin: blocks,
    build,
    async buildMany(count) {
      for (let i = 0; i < count; i += 1) await build();
    },
    async mine(count) {
      for (const hash of await regtest.mine({ count, address: regtestAddress('bb') })) {
        const raw = fromHex((await regtest.rpc('getblock', [hash, 0])) as string);
        await headers.add([raw.slice(0, 80)]);
        await blocks.keep(raw);
      }
    },
    async take(block) {
      await chain.import(block);
    },
    async close() {
      await regtest.close();
      await store.close();
    },
  };
}

/** A sealed block as it stands on the wire. */
export const wireOf = (block: SealedBlock): string => toHex(encodeSealedBlock(block));
