import type { Block } from '@ethereumjs/block';
import type { VM } from '@ethereumjs/vm';
import { concat, equal, fromBigEndian, fromHex, type Log, type Receipt } from '@hemid/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { refuse } from './refusal.ts';
import { CONSOLIDATION_REQUESTS_7251, callAsSystem, WITHDRAWAL_REQUESTS_7002 } from './system-call.ts';

const DEPOSIT_CONTRACT = fromHex('00000000219ab540356cbb839cbe05303d7705fa');
const DEPOSIT_EVENT = fromHex('649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5');
const DEPOSIT_DATA_SIZE = 576;
/** Where the fields of the event stand and how long they are: key, credentials, amount, signature, index (EIP-6110). */
const DEPOSIT_FIELDS: [offset: number, size: number][] = [
  [160, 48],
  [256, 32],
  [320, 8],
  [384, 96],
  [512, 8],
];

const TYPE = { deposit: 0, withdrawal: 1, consolidation: 2 };

function depositFrom(data: Uint8Array): Uint8Array {
  if (data.length !== DEPOSIT_DATA_SIZE) throw refuse(`a deposit event of ${data.length} bytes`);
  const word = (at: number): bigint => fromBigEndian(data.subarray(at, at + 32));
  const fields = DEPOSIT_FIELDS.map(([offset, size], i) => {
    if (word(32 * i) !== BigInt(offset) || word(offset) !== BigInt(size)) throw refuse('a deposit event of another layout');
    return data.subarray(offset + 32, offset + 32 + size);
  });
  return concat(...fields);
}

function isDeposit({ address, topics }: Log): boolean {
  return topics[0] !== undefined && equal(address, DEPOSIT_CONTRACT) && equal(topics[0], DEPOSIT_EVENT);
}

/** What a contract hands over at the end of a block; without it the block is invalid. */
async function takeFrom(vm: VM, block: Block, to: Uint8Array): Promise<Uint8Array> {
  const result = await callAsSystem(vm, block, { to, data: new Uint8Array() });
  if (result.outcome !== 'returned') throw refuse(`the system contract is ${result.outcome}`);
  return result.value;
}

/** The hash of the requests that a block makes to the beacon chain (EIP-7685): type ‖ data each, empty ones left out. */
export async function requestsHashOf(vm: VM, block: Block, receipts: readonly Receipt[]): Promise<Uint8Array> {
  const logs = receipts.flatMap((receipt) => receipt.logs);
  const requests: [type: number, data: Uint8Array][] = [
    [TYPE.deposit, concat(...logs.filter(isDeposit).map((log) => depositFrom(log.data)))],
    [TYPE.withdrawal, await takeFrom(vm, block, WITHDRAWAL_REQUESTS_7002)],
    [TYPE.consolidation, await takeFrom(vm, block, CONSOLIDATION_REQUESTS_7251)],
  ];
  const made = requests.filter(([, data]) => data.length > 0);
  return sha256(concat(...made.map(([type, data]) => sha256(concat(Uint8Array.of(type), data)))));
}
