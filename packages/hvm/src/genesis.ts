import type { Common } from '@ethereumjs/common';
import { Account, Address, hexToBytes } from '@ethereumjs/util';
import { type ChainSpec, displayBytes, EMPTY_OMMERS_HASH, EMPTY_REQUESTS_HASH, EMPTY_TRIE_ROOT, hashHeader, type L2Header } from '@hemid/protocol';
import type { Reader } from '@hemid/store';
import type { ExecutedBlock } from './block-execution.ts';
import { openState, putWord } from './state.ts';

const NO_ROWS: Reader = { get: () => undefined };

/** The genesis block of a chain spec: its allocation as state, mixHash and extraData as protocol section 2 says. */
export async function buildGenesis(spec: ChainSpec, common: Common): Promise<ExecutedBlock> {
  const { genesis } = spec;
  const state = await openState(common, NO_ROWS);
  for (const [hex, { balance = 0n, nonce = 0, code, storage = {} }] of Object.entries(genesis.allocation)) {
    const address = new Address(hexToBytes(hex as `0x${string}`));
    await state.manager.putAccount(address, new Account(BigInt(nonce), balance));
    if (code !== undefined) await state.manager.putCode(address, code);
    for (const [slot, value] of Object.entries(storage)) {
      await putWord(state.manager, { address: address.bytes, slot: hexToBytes(slot as `0x${string}`), value });
    }
  }
  await state.manager.flush();
  const header: L2Header = {
    parentHash: new Uint8Array(32),
    ommersHash: EMPTY_OMMERS_HASH,
    beneficiary: new Uint8Array(20),
    stateRoot: await state.manager.getStateRoot(),
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
  return { block: { header, transactions: [] }, hash: hashHeader(header), receipts: [], nodes: state.nodes };
}
