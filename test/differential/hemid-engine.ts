import {
  buildGenesis,
  createCommon,
  createStateReader,
  createStateStore,
  decodeUserTransaction,
  type ExecutedBlock,
  type ExecutionDeps,
  openBlockExecution,
  type StateReader,
} from '@hemid/hvm';
import { type ChainSpec, fromHex, type Hex, isHemidError, type L2Header, toHex } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import { createBitcoinLab } from '@hemid/testkit';
import type { Beginning, BlockPlan, BlockResult, Outcome } from './engine.ts';

/** The node's own engine: its state over a store, its trie, its interpreter, its block loop. */
export interface HemidEngine {
  /** Executes a block and stands on it. */
  block(transactions: readonly Hex[], timestampStep?: bigint): Promise<{ plan: BlockPlan; result: BlockResult }>;
  /** Base fee of the next block. */
  baseFee(): Promise<bigint>;
  state(): StateReader;
  header(): L2Header;
}

const BENEFICIARY = new Uint8Array(20).fill(0xbe);
const REFUSED: Outcome = { status: 'refused', gasUsed: '0', logs: [] };

/** Opens a {@link HemidEngine} on a genesis of its own. */
export async function openHemidEngine(beginning: Beginning): Promise<HemidEngine> {
  const lab = await createBitcoinLab();
  const view = lab.view(lab.headers.genesis.hash);
  const allocation = Object.fromEntries(
    Object.entries(beginning.accounts).map(([address, { balance, nonce = 0, code }]) => [
      address,
      { balance: BigInt(balance), nonce, ...(code === undefined ? {} : { code: fromHex(code) }) },
    ]),
  );
  const spec: ChainSpec = { ...lab.spec, genesis: { ...lab.spec.genesis, chainId: beginning.chainId, gasLimit: 1_000_000_000n, allocation } };
  const store = await openMemoryStore();
  const common = createCommon(spec);
  const hashes: Uint8Array[] = [];
  const numbers = new Map<string, bigint>();
  const numberOf = (hash: Uint8Array): bigint => numbers.get(toHex(hash)) ?? -1n;
  const states = createStateStore(
    {
      store,
      route: (from, to) => ({ removed: hashes.slice(Number(numberOf(to)) + 1, Number(numberOf(from)) + 1).reverse(), added: [] }),
      block: (hash) => ({ hash, number: numberOf(hash) }),
      parent: (hash) => hashes[Number(numberOf(hash)) - 1] as Uint8Array,
    },
    { window: 8 },
  );
  const deps: ExecutionDeps = { spec, common, states };
  let head: ExecutedBlock;

  async function keep(executed: ExecutedBlock): Promise<void> {
    const { number } = executed.block.header;
    hashes[Number(number)] = executed.hash;
    numbers.set(toHex(executed.hash), number);
    const batch = store.batch();
    states.stage(executed.hash, executed);
    if (number === 0n) await states.init({ hash: executed.hash, number }, executed.diff, batch);
    else states.apply({ hash: executed.hash, number }, batch);
    await batch.commit();
    head = executed;
  }

  await keep(await buildGenesis(spec, common));

  function open(timestampStep: bigint) {
    const parent = head.block.header;
    const ancestorHash = (number: bigint): Uint8Array | undefined => (number < 0n ? undefined : hashes[Number(number)]);
    return openBlockExecution(deps, { parent, timestamp: parent.timestamp + timestampStep, beneficiary: BENEFICIARY, ancestorHash }, view);
  }

  return {
    header: () => head.block.header,
    state: () => createStateReader(states.source(head.hash), head.block.header.stateRoot),
    baseFee: async () => (await open(1n)).header.baseFeePerGas,
    async block(transactions, timestampStep = 1n) {
      const execution = await open(timestampStep);
      const { header } = execution;
      const outcomes: Outcome[] = [];
      for (const raw of transactions) {
        try {
          const receipt = await execution.user(decodeUserTransaction(fromHex(raw), common));
          const logs = receipt.logs.map(({ address, topics, data }) => ({ address: toHex(address), topics: topics.map(toHex), data: toHex(data) }));
          outcomes.push({ status: receipt.succeeded ? 'succeeded' : 'failed', gasUsed: receipt.gasUsed.toString(), logs });
        } catch (error) {
          if (!isHemidError(error, 'hvm/transaction-invalid')) throw error;
          outcomes.push(REFUSED);
        }
      }
      const executed = await execution.finish();
      await keep(executed);
      const plan: BlockPlan = {
        number: header.number.toString(),
        timestamp: header.timestamp.toString(),
        parentHash: toHex(header.parentHash),
        beneficiary: toHex(header.beneficiary),
        mixHash: toHex(header.mixHash),
        baseFee: header.baseFeePerGas.toString(),
        gasLimit: header.gasLimit.toString(),
        transactions: [...transactions],
      };
      return { plan, result: { outcomes, stateRoot: toHex(executed.block.header.stateRoot) } };
    },
  };
}
