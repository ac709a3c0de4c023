import { type Hex, keccak256, pad, parseAbi, stringToHex, toFunctionSelector, toHex } from 'viem';

/** What the contract of these tests offers: an event, a stored word, and every way to fail. */
export const signalAbi = parseAbi([
  'event Pinged(address indexed who, bytes32 value)',
  'function ping(bytes32 value)',
  'function value() view returns (bytes32)',
  'function refuse() view',
  'function panic() view',
  'function bare() view',
  'function burn() view',
  'function broken() view',
]);

export const PINGED = keccak256(stringToHex('Pinged(address,bytes32)'));

type Part = string | { push: Hex } | { goto: string } | { label: string };

const OPCODES: Record<string, string> = {
  EQ: '14',
  SHR: '1c',
  CALLER: '33',
  CALLDATALOAD: '35',
  MSTORE: '52',
  SLOAD: '54',
  SSTORE: '55',
  JUMP: '56',
  JUMPI: '57',
  DUP1: '80',
  LOG2: 'a2',
  STOP: '00',
  RETURN: 'f3',
  REVERT: 'fd',
  INVALID: 'fe',
};

/** Assembles: words are opcodes, labels are two bytes wide. */
function assemble(parts: readonly Part[]): string {
  const sizeOf = (part: Part): number => {
    if (typeof part === 'string') return part.split(' ').length;
    if ('push' in part) return part.push.length / 2;
    return 'goto' in part ? 3 : 1;
  };
  const labels = new Map<string, number>();
  let offset = 0;
  for (const part of parts) {
    if (typeof part === 'object' && 'label' in part) labels.set(part.label, offset);
    offset += sizeOf(part);
  }
  return parts
    .map((part) => {
      if (typeof part === 'string')
        return part
          .split(' ')
          .map((word) => OPCODES[word] ?? '')
          .join('');
      if ('label' in part) return '5b';
      if ('goto' in part) return `61${(labels.get(part.goto) ?? 0).toString(16).padStart(4, '0')}`;
      return (0x5f + part.push.length / 2 - 1).toString(16) + part.push.slice(2);
    })
    .join('');
}

const push = (value: number | Hex): Part => ({ push: typeof value === 'number' ? toHex(value, { size: 1 }) : value });
const entry = (name: string): Part[] => [
  'DUP1',
  push(toFunctionSelector(`${name}(${name === 'ping' ? 'bytes32' : ''})`)),
  'EQ',
  { goto: name },
  'JUMPI',
];
const store = (offset: number, word: Hex): Part[] => [push(word), push(offset), 'MSTORE'];
const left = (hex: Hex): Hex => pad(hex, { dir: 'right', size: 32 });

const runtime = assemble([
  ...[push(0), 'CALLDATALOAD', push(0xe0), 'SHR'],
  ...['ping', 'value', 'refuse', 'panic', 'burn', 'broken'].flatMap(entry),
  ...[{ label: 'bare' }, push(0), push(0), 'REVERT'],
  ...[{ label: 'ping' }, push(4), 'CALLDATALOAD', 'DUP1', push(0), 'SSTORE', push(0), 'MSTORE'],
  ...['CALLER', push(PINGED), push(0x20), push(0), 'LOG2 STOP'],
  ...[{ label: 'value' }, push(0), 'SLOAD', push(0), 'MSTORE', push(0x20), push(0), 'RETURN'],
  ...[{ label: 'refuse' }, ...store(0, left('0x08c379a0')), ...store(4, toHex(32, { size: 32 })), ...store(0x24, toHex(6, { size: 32 }))],
  ...[...store(0x44, left(stringToHex('no way'))), push(0x64), push(0), 'REVERT'],
  ...[{ label: 'panic' }, ...store(0, left('0x4e487b71')), ...store(4, toHex(0x11, { size: 32 })), push(0x24), push(0), 'REVERT'],
  ...[{ label: 'burn' }, { goto: 'burn' }, 'JUMP'],
  ...[{ label: 'broken' }, 'INVALID'],
]);

const size = (runtime.length / 2).toString(16).padStart(4, '0');

/** Creation code: copies the runtime from behind its own 12 bytes and returns it. */
export const signalBytecode: Hex = `0x61${size}80600c6000396000f3${runtime}`;
