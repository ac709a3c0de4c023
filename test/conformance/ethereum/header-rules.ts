import type { Common } from '@ethereumjs/common';
import { EMPTY_OMMERS_HASH, equal } from '@hemid/protocol';
import { GAS_PER_BLOB, nextExcessBlobGas } from './blob-gas.ts';
import type { EthereumBlock } from './block.ts';
import { fieldCount, type Header } from './header.ts';
import { nextDifficulty } from './proof-of-work.ts';
import { refuse } from './refusal.ts';

const MAX_EXTRA_DATA = 32;
const MIN_GAS_LIMIT = 5000n;
const LIMIT_BOUND_DIVISOR = 1024n;
const ELASTICITY = 2n;
const BASE_FEE_DENOMINATOR = 8n;
const INITIAL_BASE_FEE = 1_000_000_000n;
/** EIP-7934: ten megabytes less what the beacon block takes. */
const MAX_BLOCK_SIZE = 10_485_760 - 2_097_152;

/** Fields that forks have added, by the EIP that did. */
const ADDED_FIELDS: [eip: number, count: number][] = [
  [1559, 1],
  [4895, 1],
  [4844, 2],
  [4788, 1],
  [7685, 1],
];
const FIRST_FIELDS = 15;

function must(holds: boolean, rule: string): void {
  if (!holds) throw refuse(rule);
}

/** Base fee of the block after `parent` (EIP-1559). */
function nextBaseFee(parent: Header): bigint {
  const fee = parent.baseFeePerGas;
  if (fee === undefined) return INITIAL_BASE_FEE;
  const target = parent.gasLimit / ELASTICITY;
  if (parent.gasUsed === target) return fee;
  const isUp = parent.gasUsed > target;
  const change = (fee * (isUp ? parent.gasUsed - target : target - parent.gasUsed)) / target / BASE_FEE_DENOMINATOR;
  if (!isUp) return fee - change;
  return fee + (change === 0n ? 1n : change);
}

function checkGasLimit(header: Header, parent: Header): void {
  const isFirstWithBaseFee = header.baseFeePerGas !== undefined && parent.baseFeePerGas === undefined;
  const before = isFirstWithBaseFee ? parent.gasLimit * ELASTICITY : parent.gasLimit;
  const change = header.gasLimit > before ? header.gasLimit - before : before - header.gasLimit;
  must(change < before / LIMIT_BOUND_DIVISOR, 'the gas limit moves too far');
  must(header.gasLimit >= MIN_GAS_LIMIT, 'the gas limit is too low');
}

function checkBlobGas(header: Header, parent: Header, rules: Common): void {
  const used = header.blobGasUsed ?? 0n;
  must(used <= rules.getBlobGasSchedule().maxBlobGasPerBlock, 'too much blob gas');
  must(used % GAS_PER_BLOB === 0n, 'blob gas is not that of whole blobs');
  must(header.excessBlobGas === nextExcessBlobGas(parent, rules), 'the excess blob gas is not the one that follows from the parent');
}

function checkConsensus(header: Header, parent: Header, rules: Common): void {
  if (rules.consensusType() !== 'pos') {
    must(parent.difficulty > 0n, 'proof of work after the merge');
    must(header.difficulty === nextDifficulty(header, parent, rules), 'the difficulty is not the one that follows from the parent');
    return;
  }
  must(header.difficulty === 0n, 'a difficulty after the merge');
  must(
    header.nonce.every((byte) => byte === 0),
    'a nonce after the merge',
  );
  must(equal(header.ommersHash, EMPTY_OMMERS_HASH), 'ommers after the merge');
}

/** Refuses a header that its parent and the rules of its fork do not allow. */
export function checkHeader(header: Header, parent: Header, rules: Common): void {
  const expected = ADDED_FIELDS.reduce((count, [eip, more]) => count + (rules.isActivatedEIP(eip) ? more : 0), FIRST_FIELDS);
  must(fieldCount(header) === expected, `a header of ${fieldCount(header)} fields instead of ${expected}`);
  must(header.number === parent.number + 1n, 'the number does not follow the parent');
  must(header.timestamp > parent.timestamp, 'the timestamp does not follow the parent');
  must(header.extraData.length <= MAX_EXTRA_DATA, 'too much extra data');
  must(header.gasUsed <= header.gasLimit, 'more gas used than the limit');
  checkGasLimit(header, parent);
  checkConsensus(header, parent, rules);
  if (rules.isActivatedEIP(1559)) must(header.baseFeePerGas === nextBaseFee(parent), 'the base fee is not the one that follows from the parent');
  if (rules.isActivatedEIP(4844)) checkBlobGas(header, parent, rules);
}

/** Refuses a body that is not of the shape that the header and the rules ask for. */
export function checkBody(block: EthereumBlock, rules: Common): void {
  must((block.withdrawals !== undefined) === rules.isActivatedEIP(4895), 'withdrawals are in a block from Shanghai on, and only there');
  must(equal(block.ommersHash, block.header.ommersHash), 'the ommers are not those of the header');
  if (rules.isActivatedEIP(7934)) must(block.size <= MAX_BLOCK_SIZE, 'the block is too large');
}
