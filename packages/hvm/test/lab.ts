import { type BitcoinView, type ChainSpec, fromHex, type GenesisAccount, type Hex, hashHeader, type L2Header, toHex } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import { mnemonicToAccount } from 'viem/accounts';
import {
  type BlockExecution,
  buildGenesis,
  createCommon,
  createStateReader,
  createStateStore,
  decodeUserTransaction,
  type ExecutedBlock,
  type ExecutionDeps,
  openBlockExecution,
  type StateReader,
  type UserTransaction,
} from '../src/index.ts';

const OPCODES = {
  STOP: 0x00,
  ADD: 0x01,
  SUB: 0x03,
  ORIGIN: 0x32,
  CALLER: 0x33,
  CALLVALUE: 0x34,
  CALLDATALOAD: 0x35,
  CALLDATASIZE: 0x36,
  CALLDATACOPY: 0x37,
  GASPRICE: 0x3a,
  RETURNDATASIZE: 0x3d,
  RETURNDATACOPY: 0x3e,
  BLOCKHASH: 0x40,
  COINBASE: 0x41,
  NUMBER: 0x43,
  PREVRANDAO: 0x44,
  SELFBALANCE: 0x47,
  BASEFEE: 0x48,
  BALANCE: 0x31,
  POP: 0x50,
  MLOAD: 0x51,
  MSTORE: 0x52,
  SLOAD: 0x54,
  SSTORE: 0x55,
  GAS: 0x5a,
  TLOAD: 0x5c,
  TSTORE: 0x5d,
  SWAP1: 0x90,
  DUP1: 0x80,
  CREATE: 0xf0,
  CREATE2: 0xf5,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  RETURN: 0xf3,
  DELEGATECALL: 0xf4,
  STATICCALL: 0xfa,
  REVERT: 0xfd,
  INVALID: 0xfe,
} as const;
export type Opcode = keyof typeof OPCODES;

/** Bytecode from opcodes and numbers to push (as few bytes as they need) or 0x-words to push as they are. */
export function assemble(...parts: (Opcode | number | Hex)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === 'string' && !part.startsWith('0x')) return [OPCODES[part as Opcode]];
      const digits = typeof part === 'number' ? part.toString(16) : part.slice(2);
      const bytes = fromHex(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
      return [0x5f + bytes.length, ...bytes];
    }),
  );
}

/** Code that creates a contract with this runtime code. */
export function creationOf(runtime: Uint8Array): Hex {
  const prefix = [0x61, runtime.length >> 8, runtime.length & 0xff, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
  return toHex(Uint8Array.from([...prefix, ...runtime]));
}

/** A 32-byte word. */
export const word = (value: bigint | number): Hex => `0x${BigInt(value).toString(16).padStart(64, '0')}`;

export interface UserRequest {
  to?: Uint8Array;
  data?: Uint8Array;
  value?: bigint;
  gas?: bigint;
  maxFee?: bigint;
  tip?: bigint;
}

/** Blocks on a genesis of one's own, executed one after the other without a chain around them. */
export interface Lab {
  spec: ChainSpec;
  deps: ExecutionDeps;
  head(): L2Header;
  /** Opens the next block. */
  open(view?: BitcoinView): Promise<BlockExecution>;
  /** Executes the next block and stands on it. */
  build(fill: (execution: BlockExecution) => Promise<unknown>): Promise<ExecutedBlock>;
  /** State at the head. */
  state(): StateReader;
  /** A signed transaction of a funded account, with its next nonce. */
  sign(account: number, request: UserRequest): Promise<UserTransaction>;
  addressOf(account: number): Uint8Array;
  beneficiary: Uint8Array;
}

const MNEMONIC = 'test test test test test test test test test test test junk';
const accountAt = (index: number) => mnemonicToAccount(MNEMONIC, { addressIndex: index });

/** A lab over a spec whose allocation is extended (or emptied by `undefined`), on a Bitcoin view. */
export async function createLab(
  base: ChainSpec,
  options: { view: BitcoinView; allocation?: Record<Hex, GenesisAccount | undefined>; genesis?: Partial<ChainSpec['genesis']> },
): Promise<Lab> {
  const merged = { ...base.genesis.allocation, ...options.allocation };
  const allocation = Object.fromEntries(Object.entries(merged).filter(([, account]) => account !== undefined)) as Record<string, GenesisAccount>;
  const spec: ChainSpec = { ...base, genesis: { ...base.genesis, ...options.genesis, allocation } };
  const store = await openMemoryStore();
  const common = createCommon(spec);
  const hashes: Uint8Array[] = [];
  // One chain without branches: the states only go forward.
  const numberOf = (hash: Uint8Array): bigint => BigInt(hashes.findIndex((one) => toHex(one) === toHex(hash)));
  const states = createStateStore(
    {
      store,
      route: (from, to) => ({ removed: hashes.slice(Number(numberOf(to)) + 1, Number(numberOf(from)) + 1).reverse(), added: [] }),
      block: (hash) => ({ hash, number: numberOf(hash) }),
      parent: (hash) => hashes[Number(numberOf(hash)) - 1] as Uint8Array,
    },
    { window: undefined },
  );
  const deps: ExecutionDeps = { spec, common, states };
  const nonces = new Map<number, number>();
  const beneficiary = new Uint8Array(20).fill(0xbe);
  let head: L2Header;

  async function keep({ block, hash, ...changes }: ExecutedBlock): Promise<void> {
    const { number } = block.header;
    hashes[Number(number)] = hash;
    const batch = store.batch();
    states.stage(hash, changes);
    if (number === 0n) await states.init({ hash, number }, changes.diff, batch);
    else states.apply({ hash, number }, batch);
    await batch.commit();
    head = block.header;
  }

  await keep(await buildGenesis(spec, common));

  function open(view: BitcoinView = options.view): Promise<BlockExecution> {
    const timestamp = head.timestamp + BigInt(spec.genesis.blockTime);
    return openBlockExecution(deps, { parent: head, timestamp, beneficiary, ancestorHash: (number) => hashes[Number(number)] }, view);
  }

  return {
    spec,
    deps,
    beneficiary,
    head: () => head,
    open,
    async build(fill) {
      const execution = await open();
      await fill(execution);
      const executed = await execution.finish();
      if (toHex(hashHeader(executed.block.header)) !== toHex(executed.hash)) throw new Error('the hash is not that of the header');
      await keep(executed);
      return executed;
    },
    state: () => createStateReader(states.source(hashHeader(head)), head.stateRoot),
    async sign(account, { to, data, value = 0n, gas = 1_000_000n, maxFee = 10n ** 9n, tip = 10n ** 6n }) {
      const nonce = nonces.get(account) ?? 0;
      nonces.set(account, nonce + 1);
      const raw = await accountAt(account).signTransaction({
        chainId: spec.genesis.chainId,
        type: 'eip1559',
        nonce,
        gas,
        maxFeePerGas: maxFee,
        maxPriorityFeePerGas: tip,
        value,
        ...(to === undefined ? {} : { to: toHex(to) }),
        ...(data === undefined ? {} : { data: toHex(data) }),
      });
      return decodeUserTransaction(fromHex(raw), common);
    },
    addressOf: (account) => fromHex(accountAt(account).address.toLowerCase() as Hex),
  };
}
