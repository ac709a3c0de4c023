import type { Common } from '@ethereumjs/common';
import { Account, Address, hexToBytes } from '@ethereumjs/util';
import {
  type ChainSpec,
  displayBytes,
  EMPTY_OMMERS_HASH,
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  genesisConfiguration,
  hashHeader,
  type L2Header,
  TUNNEL_ADDRESS,
} from '@hemid/protocol';
import { type ExecutedBlock, tunnelSums } from './block-execution.ts';
import { commitState } from './state/commit-state.ts';
import { openFlatState } from './state/flat-state.ts';
import type { BaseState } from './state/source.ts';
import { putWord } from './state/write.ts';

const NOTHING: BaseState = { read: () => undefined, async *keys() {} };

/** The genesis block of a chain spec: its allocation and Tunnel's configuration as state, mixHash and extraData as protocol section 2 says. */
export async function buildGenesis(spec: ChainSpec, common: Common): Promise<ExecutedBlock> {
  const { genesis } = spec;
  const state = openFlatState(common, NOTHING);
  for (const [hex, { balance = 0n, nonce = 0, code, storage = {} }] of Object.entries(genesis.allocation)) {
    const address = new Address(hexToBytes(hex as `0x${string}`));
    await state.putAccount(address, new Account(BigInt(nonce), balance));
    if (code !== undefined) await state.putCode(address, code);
    for (const [slot, value] of Object.entries(storage)) {
      await putWord(state, { address: address.bytes, slot: hexToBytes(slot as `0x${string}`), value });
    }
  }
  if ((await state.getAccount(new Address(TUNNEL_ADDRESS))) !== undefined) {
    for (const write of genesisConfiguration(spec)) await putWord(state, write);
  }
  const { root, diff, supplyChange } = await commitState(state, NOTHING);
  const header: L2Header = {
    parentHash: new Uint8Array(32),
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: new Uint8Array(20),
    stateRoot: root,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number: 0n,
    gasLimit: genesis.gasLimit,
    gasUsed: 0n,
    timestamp: BigInt(genesis.time),
    extraData: displayBytes(spec.bitcoinGenesisHash),
    mixHash: spec.genesisHash,
    nonce: new Uint8Array(8),
    baseFeePerGas: genesis.baseFee,
    withdrawalsRoot: EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: new Uint8Array(32),
    requestsHash: EMPTY_REQUESTS_HASH,
  };
  return { block: { header, transactions: [] }, hash: hashHeader(header), receipts: [], diff, supplyChange, tunnel: tunnelSums(state) };
}
