import { type BlockStore, createBitcoinView, type HeaderChain, type ViewDeps, type Walker } from '@hemid/bitcoin';
import { type BlockExecution, createStateReader, type ExecutionDeps, openBlockExecution, type StorageWrite } from '@hemid/hvm';
import { type Attributes, type BitcoinView, type ChainSpec, type SystemTransaction, systemBudget, toAttributesTransaction } from '@hemid/protocol';
import type { Store } from '@hemid/store';
import { acceptRun } from './bitcoin-run.ts';
import { bitcoinReference } from './block-rule.ts';
import type { Derivation, PlacedL2Header } from './ports.ts';

export interface PreparationDeps {
  spec: ChainSpec;
  store: Store;
  headers: HeaderChain;
  blocks: BlockStore;
  /** The Bitcoin index; only preparation moves it. */
  index: Walker;
  execution: ExecutionDeps;
  /** In the order their transactions stand in a block. */
  derivations: readonly Derivation[];
  /** Ancestor-or-self of a block. */
  ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header;
}

/** What is chosen about a block before its transactions. */
export interface BlockChoice {
  parent: PlacedL2Header;
  /** Seconds. */
  timestamp: bigint;
  beneficiary: Uint8Array;
  attributes: Attributes | undefined;
}

/** A block whose Bitcoin view stands and whose system transactions are known, but not yet run. */
export interface PreparedBlock {
  execution: BlockExecution;
  view: BitcoinView;
  /** Payouts and tunnel transactions that are due, in order. */
  derived: SystemTransaction[];
  /** Runs the attributes and the due transactions, then the executor's own writes. */
  runSystem(): Promise<void>;
}

/** The view that a block on `parent` with these attributes is executed on; the index is moved there. */
async function openView(deps: PreparationDeps & ViewDeps, choice: BlockChoice): Promise<BitcoinView> {
  const { headers, index } = deps;
  const parentTip = bitcoinReference(choice.parent.header);
  const known = headers.read(parentTip) ?? { hash: parentTip, height: 0 };
  const tip = choice.attributes === undefined ? known : await acceptRun(headers, known, choice.attributes);
  const view = createBitcoinView(deps, tip.hash);
  await index.moveTo(view.indexTip.hash);
  return view;
}

/**
 * Everything of a block that follows from its parent and its choices: the same for builder and verifier.
 *
 * @throws `chain/block-invalid` for a run of Bitcoin headers that breaks a rule; `retry` errors when Bitcoin data is
 * not here yet.
 */
export async function prepareBlock(deps: PreparationDeps, choice: BlockChoice): Promise<PreparedBlock> {
  const { spec, execution: executionDeps } = deps;
  const { parent, timestamp, beneficiary, attributes } = choice;
  const view = await openView(deps, choice);
  const number = parent.header.number + 1n;
  const ancestor = (n: bigint): PlacedL2Header => deps.ancestorOf(parent, n);
  const state = createStateReader(executionDeps.states.base(parent.hash), parent.header.stateRoot);

  const first = attributes === undefined ? [] : [toAttributesTransaction(attributes)];
  let budget = systemBudget(spec) - first.reduce((sum, transaction) => sum + transaction.gas, 0n);
  const derived: SystemTransaction[] = [];
  const writes: StorageWrite[] = [];
  for (const derivation of deps.derivations) {
    const due = await derivation.due({ parent, number, timestamp, ancestor, state, view, budget });
    derived.push(...due.transactions);
    writes.push(...due.writes);
    budget -= due.transactions.reduce((sum, transaction) => sum + transaction.gas, 0n);
  }

  const ancestorHash = (n: bigint): Uint8Array | undefined => (n < 0n || n > parent.header.number ? undefined : ancestor(n).hash);
  const execution = await openBlockExecution(executionDeps, { parent: parent.header, timestamp, beneficiary, ancestorHash }, view);
  return {
    execution,
    view,
    derived,
    async runSystem() {
      for (const transaction of [...first, ...derived]) await execution.system(transaction);
      await execution.write(writes);
    },
  };
}
