import { type Block, createBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { Address } from '@ethereumjs/util';
import { createVM, type VM } from '@ethereumjs/vm';
import {
  type BitcoinView,
  type ChainSpec,
  concat,
  configurationChanges,
  displayBytes,
  EMPTY_OMMERS_HASH,
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  HISTORY_ADDRESS,
  hashHeader,
  historySlot,
  type L2Header,
  toBigEndian,
} from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { nextBaseFee } from './base-fee.ts';
import { creationOpcodes } from './create-opcode.ts';
import { installFastInterpreter } from './fast-interpreter.ts';
import { bindAll } from './precompiles/all.ts';
import type { FlatState } from './state/flat-state.ts';
import type { StateStore } from './state/state-store.ts';
import type { StorageWrite } from './state/write.ts';

/** What is decided about a block before anything in it runs. */
export interface BlockInput {
  parent: L2Header;
  /** Seconds. */
  timestamp: bigint;
  /** 20 bytes. */
  beneficiary: Uint8Array;
  /** Hash of an ancestor, for BLOCKHASH; `undefined` below the genesis. */
  ancestorHash: (number: bigint) => Uint8Array | undefined;
}

export interface ExecutionDeps {
  spec: ChainSpec;
  common: Common;
  states: StateStore;
  /** Lets other work have its turn, now and then while a block is executed. */
  pause?: () => Promise<void>;
  /** Runs every transaction in @ethereumjs/vm, for those who compare the two. */
  inline?: 'off';
  /** After how many visits code that is run inline is compiled, for those who test that. */
  hotAt?: number;
}

/** The header of the block after `input.parent`, before execution. */
export function startHeader(spec: ChainSpec, input: BlockInput, view: BitcoinView): L2Header {
  const tip = displayBytes(view.lightTip.hash);
  const number = input.parent.number + 1n;
  return {
    parentHash: hashHeader(input.parent),
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: input.beneficiary,
    stateRoot: input.parent.stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number,
    gasLimit: spec.genesis.gasLimit,
    gasUsed: 0n,
    timestamp: input.timestamp,
    extraData: tip,
    mixHash: keccak_256(concat(tip, toBigEndian(number, 8))),
    nonce: new Uint8Array(8),
    baseFeePerGas: nextBaseFee(spec, input.parent),
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: new Uint8Array(32),
    requestsHash: EMPTY_REQUESTS_HASH,
  };
}

/** The header as @ethereumjs/block knows it, for the EVM's environment. */
export function toEvmBlock(header: L2Header, common: Common): Block {
  return createBlock(
    {
      header: {
        parentHash: header.parentHash,
        coinbase: new Address(header.beneficiary),
        number: header.number,
        gasLimit: header.gasLimit,
        timestamp: header.timestamp,
        mixHash: header.mixHash,
        baseFeePerGas: header.baseFeePerGas,
        excessBlobGas: 0n,
        blobGasUsed: 0n,
      },
    },
    { common, skipConsensusFormatValidation: true },
  );
}

const creations = new WeakMap<Common, ReturnType<typeof creationOpcodes>>();

/** {@link creationOpcodes}, once for rules that never change. */
function creationsOf(common: Common): ReturnType<typeof creationOpcodes> {
  const known = creations.get(common) ?? creationOpcodes(common);
  creations.set(common, known);
  return known;
}

/** A VM over a state, whose contracts see a Bitcoin view. */
export async function openVm(deps: ExecutionDeps, state: FlatState, view: BitcoinView, ancestorHash: BlockInput['ancestorHash']): Promise<VM> {
  const blockchain = {
    async getBlock(number: number) {
      const hash = ancestorHash(BigInt(number)) ?? new Uint8Array(32);
      return { hash: () => hash };
    },
    async putBlock() {},
    shallowCopy: () => blockchain,
  };
  await installFastInterpreter(deps.common);
  const vm = await createVM({
    common: deps.common,
    stateManager: state,
    blockchain: blockchain as never,
    evmOpts: { customPrecompiles: bindAll(view, deps.spec), customOpcodes: creationsOf(deps.common) },
  });
  // Each EVM listens to its rule set for as long as that lives, which would keep the state of every block in memory. These
  // rules never change.
  deps.common.events.removeAllListeners('hardforkChanged');
  return vm;
}

/** A block that is about to be executed, and the one below it. */
export interface Opening {
  parent: Pick<L2Header, 'number' | 'timestamp'>;
  header: Pick<L2Header, 'number' | 'parentHash' | 'timestamp'>;
}

/** What the executor writes before anything else: the parent's hash (EIP-2935), and Tunnel's configuration where an upgrade changes it. */
export function openingWrites(spec: ChainSpec, { parent, header }: Opening): StorageWrite[] {
  const { number, parentHash, timestamp } = header;
  const history = { address: HISTORY_ADDRESS, slot: historySlot(number - 1n), value: parentHash };
  return [history, ...configurationChanges(spec, { parent, timestamp })];
}
