import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CustomPrecompile } from '@ethereumjs/evm';
import { EVMError } from '@ethereumjs/evm';
import { hexToBytes } from '@ethereumjs/util';
import { type AbiFunction, type Address, concatHex, type Hex, padHex, size, slice, toFunctionSelector, toHex } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { compile } from '../scripts/compile.ts';
import { bitcoinKit } from '../src/index.ts';
import { BITCOIN_KIT, createPredeployChain, type PredeployChain } from './predeploy-chain.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const STRANGER = 'not an address of any network';
const TXID: Hex = `0x${'cd'.repeat(32)}`;
const OTHER: Hex = `0x${'ef'.repeat(32)}`;
const BLOCK: Hex = `0x${'bb'.repeat(32)}`;

/** The prices of protocol section 5. */
const GAS: Record<string, bigint> = {
  '0x40': 50_000n,
  '0x41': 100_000n,
  '0x42': 25_000n,
  '0x43': 5_000n,
  '0x44': 5_000n,
  '0x45': 6_000n,
  '0x46': 25_000n,
  '0x47': 15_000n,
  '0x48': 15_000n,
};
/** What the stand-ins answer, by precompile and input; anything else is empty, but fails 0x43 and 0x46. */
let answers: Record<string, Record<Hex, Hex>>;
/** What the stand-ins were asked, in order. */
let asked: string[];

const standIn = (address: string): CustomPrecompile => ({
  address: padHex(address as Hex, { size: 20 }),
  function({ data, gasLimit }) {
    const gas = GAS[address] ?? 0n;
    const none = new Uint8Array();
    const failed = (reason: string) => ({ executionGasUsed: gasLimit, returnValue: none, exceptionError: new EVMError(reason as never) });
    if (gasLimit < gas) return failed('out of gas');
    const input = toHex(data);
    asked.push(`${address} ${input}`);
    const answer = answers[address]?.[input];
    if (answer === undefined && (address === '0x43' || address === '0x46')) return failed('failed');
    return { executionGasUsed: gas, returnValue: answer === undefined ? none : hexToBytes(answer) };
  },
});

let chain: PredeployChain;
beforeEach(async () => {
  answers = {};
  asked = [];
  chain = await createPredeployChain({ precompiles: Object.keys(GAS).map(standIn) });
});

const kit = <T>(name: string, ...args: unknown[]): Promise<T> => chain.read<T>(BITCOIN_KIT, bitcoinKit.abi, name, args);
/** The one of two functions of the same name that has a selector. */
const unspentAbi = (selector: string) => bitcoinKit.abi.filter((entry) => entry.type === 'function' && toFunctionSelector(entry) === selector);
const u8 = (value: number): Hex => toHex(value, { size: 1 });
const u16 = (value: number): Hex => toHex(value, { size: 2 });
const u32 = (value: number): Hex => toHex(value, { size: 4 });
const u64 = (value: bigint): Hex => toHex(value, { size: 8 });
/** `count` bytes that differ from one another. */
const filler = (count: number): Hex => toHex(Uint8Array.from({ length: count }, (_, i) => (i * 7 + 1) % 256));
/** A script as a frame carries it: full length, then what is left of it. */
const cut = (script: Hex, max: number): Hex => concatHex([u16(size(script)), size(script) > max ? slice(script, 0, max) : script]);
const question = (txid: Hex, flags: Hex): Hex => concatHex([txid, flags]);

interface FrameInput {
  witness: number;
  sats: bigint;
  txid: Hex;
  vout: number;
  script: Hex;
  sequence: number;
}
interface FrameOutput {
  sats: bigint;
  script: Hex;
  unspent: boolean;
}

/** Parts of a frame of 0x42 as flags 7f fe 2d 0a ask for them: 32 inputs, 32 outputs, 64 bytes of each script. */
const inputsFrame = (inputs: FrameInput[]): Hex =>
  concatHex([
    u16(inputs.length),
    ...inputs
      .slice(0, 32)
      .map(({ witness, sats, txid, vout, script, sequence }) =>
        concatHex([u16(witness), u64(sats), txid, u32(vout), cut(script, 64), u32(sequence)]),
      ),
  ]);
const outputsFrame = (outputs: FrameOutput[]): Hex =>
  concatHex([
    u16(outputs.length),
    ...outputs.slice(0, 32).map(({ sats, script, unspent }) => concatHex([u64(sats), cut(script, 64), u8(unspent ? 1 : 0)])),
  ]);
const headFrame = concatHex([BLOCK, u32(2), u32(405), u32(324), u32(850_000)]);

const INPUTS: FrameInput[] = [
  { witness: 2, sats: 5_000_000_000n, txid: `0x${'11'.repeat(32)}`, vout: 70_000, script: '0x', sequence: 0xfffffffd },
  { witness: 0, sats: 1n, txid: `0x${'22'.repeat(32)}`, vout: 1, script: filler(64), sequence: 0 },
  { witness: 3, sats: 2n ** 63n, txid: `0x${'33'.repeat(32)}`, vout: 0, script: filler(107), sequence: 0xffffffff },
];
const OUTPUTS: FrameOutput[] = [
  { sats: 1_000n, script: `0x0014${'44'.repeat(20)}`, unspent: true },
  { sats: 2_000n, script: `0x5120${'55'.repeat(32)}`, unspent: false },
  { sats: 0n, script: `0x6a14${'66'.repeat(20)}`, unspent: false },
  { sats: 4_000n, script: filler(65), unspent: true },
];
/** What the kit must say of them. */
const inputStructs = INPUTS.map(({ witness, sats, txid, vout, script, sequence }) => ({
  witnessElements: BigInt(witness),
  inValue: sats,
  inputTxId: txid,
  sourceIndex: BigInt(vout),
  scriptSig: size(script) > 64 ? slice(script, 0, 64) : script,
  sequence: BigInt(sequence),
  fullScriptSigLength: BigInt(size(script)),
  containsFullScriptSig: size(script) <= 64,
}));
const plain = { outputAddress: '', isOpReturn: false, opReturnData: '0x', containsFullScript: true };
const outputStructs = [
  { ...plain, outValue: 1_000n, script: `0x0014${'44'.repeat(20)}`, isSpent: false, fullScriptLength: 22n },
  { ...plain, outValue: 2_000n, script: `0x5120${'55'.repeat(32)}`, isSpent: true, fullScriptLength: 34n },
  {
    ...plain,
    outValue: 0n,
    script: `0x6a14${'66'.repeat(20)}`,
    isOpReturn: true,
    opReturnData: `0x${'66'.repeat(20)}`,
    isSpent: false,
    fullScriptLength: 22n,
  },
  { ...plain, outValue: 4_000n, script: slice(filler(65), 0, 64), isSpent: false, fullScriptLength: 65n, containsFullScript: false },
];

/** Lets precompile 0x42 know a transaction: its block for whoever asks, and one more answer. */
function know(flags: Hex, frame: Hex): void {
  answers['0x42'] = { ...answers['0x42'], [question(TXID, '0x40000000')]: BLOCK, [question(TXID, flags)]: frame };
}

describe('the interface', () => {
  test('has the selectors of the kit of the public network, and no others', () => {
    const functions = bitcoinKit.abi.filter((entry): entry is AbiFunction => entry.type === 'function');
    expect(functions.map((entry) => toFunctionSelector(entry)).sort()).toEqual(
      [
        '0xa39272a1',
        '0xd12c1974',
        '0x17055683',
        '0x63d91ec0',
        '0xc677589e',
        '0x8e929e88',
        '0x103de990',
        '0x1eac3b01',
        '0x4ccdb6f0',
        '0x8f23a6de',
        '0xef45d0d1',
        '0x2dc4efcb',
        '0x869e8179',
        '0x8a87e93e',
        '0x4276f822',
        '0xd80fd894',
      ].sort(),
    );
    expect(new Set(functions.map(({ stateMutability }) => stateMutability))).toEqual(new Set(['view']));
  });

  test('needs no storage: its code never touches any', () => {
    const code = hexToBytes(bitcoinKit.deployedBytecode);
    const opcodes: number[] = [];
    for (let i = 0; i < code.length; i += 1) {
      const opcode = code[i] ?? 0;
      opcodes.push(opcode);
      if (opcode >= 0x60 && opcode <= 0x7f) i += opcode - 0x5f;
    }
    expect(opcodes).toContain(0xfa);
    // SLOAD, SSTORE, TLOAD, TSTORE, CALL, DELEGATECALL, CREATE.
    for (const opcode of [0x54, 0x55, 0x5c, 0x5d, 0xf1, 0xf4, 0xf0]) expect(opcodes).not.toContain(opcode);
  });
});

describe('an address', () => {
  test('has a balance', async () => {
    answers['0x40'] = { [toHex(ADDRESS)]: u64(2n ** 64n - 2n) };
    expect(await kit('getBitcoinAddressBalance', ADDRESS)).toBe(2n ** 64n - 2n);
  });

  test('that does not decode has none, rather than 0', async () => {
    await expect(kit('getBitcoinAddressBalance', STRANGER)).rejects.toThrow('Bitcoin address not valid');
    await expect(chain.read(BITCOIN_KIT, unspentAbi('0xd12c1974'), 'getUTXOsForBitcoinAddress', [STRANGER, 0, 10])).rejects.toThrow(
      'Bitcoin address not valid',
    );
    await expect(kit('getScriptForAddress', STRANGER)).rejects.toThrow('Bitcoin address not valid');
    await expect(kit('getScriptForAddress', '')).rejects.toThrow('Bitcoin address not valid');
  });

  test('is valid or not; with too little gas to know, that is an error and no answer', async () => {
    answers['0x40'] = { [toHex(ADDRESS)]: u64(0n) };
    expect(await kit('isAddressValid', ADDRESS)).toBe(true);
    expect(await kit('isAddressValid', STRANGER)).toBe(false);
    const call = { from: ALICE, to: BITCOIN_KIT, abi: bitcoinKit.abi, name: 'isAddressValid', args: [ADDRESS] };
    expect(await chain.send({ ...call, gas: 60_000n })).toMatchObject({ ok: false, error: 'Bitcoin precompile failed' });
  });

  test('has a script', async () => {
    answers['0x46'] = { [toHex(ADDRESS)]: `0x0014${'77'.repeat(20)}` };
    expect(await kit('getScriptForAddress', ADDRESS)).toBe(`0x0014${'77'.repeat(20)}`);
  });

  test.each([
    ['0xd12c1974', [ADDRESS, 258, 3]],
    ['0x17055683', [ADDRESS, 258n, 3n]],
  ])('has unspent outputs, by either function (%s)', async (selector, args) => {
    answers['0x41'] = {
      [concatHex([toHex(ADDRESS), '0x000102', '0x03'])]: concatHex(['0x02', TXID, u16(65_535), u64(1n), OTHER, u16(0), u64(2n ** 63n)]),
    };
    expect(await chain.read(BITCOIN_KIT, unspentAbi(selector), 'getUTXOsForBitcoinAddress', args)).toEqual([
      { txId: TXID, index: 65_535n, value: 1n, scriptPubKey: '0x' },
      { txId: OTHER, index: 0n, value: 2n ** 63n, scriptPubKey: '0x' },
    ]);
  });

  test('has up to 255 unspent outputs on a page, and none beyond the last', async () => {
    const rows = Array.from({ length: 255 }, (_, i) => concatHex([padHex(u8(i), { size: 32 }), u16(i), u64(BigInt(i))]));
    answers['0x41'] = {
      [concatHex([toHex(ADDRESS), '0xffffff', '0xff'])]: concatHex(['0xff', ...rows]),
      [concatHex([toHex(ADDRESS), '0x000000', '0x00'])]: '0x00',
    };
    const page = (start: bigint, count: bigint) =>
      chain.read<{ index: bigint }[]>(BITCOIN_KIT, unspentAbi('0x17055683'), 'getUTXOsForBitcoinAddress', [ADDRESS, start, count]);
    const full = await page(0xffffffn, 255n);
    expect(full.map(({ index }) => index)).toEqual(rows.map((_, i) => BigInt(i)));
    expect(await page(0n, 0n)).toEqual([]);
    await expect(page(0x1000000n, 255n)).rejects.toThrow('pageNumber above 16777215');
    await expect(page(0n, 256n)).rejects.toThrow('pageSize above 255');
    await expect(page(2n ** 255n, 1n)).rejects.toThrow('pageNumber above 16777215');
  });
});

describe('a transaction', () => {
  test('is read whole', async () => {
    know('0x7ffe2d0a', concatHex([headFrame, inputsFrame(INPUTS), outputsFrame(OUTPUTS)]));
    expect(await kit('getTransactionByTxId', TXID)).toEqual({
      containingBlockHash: BLOCK,
      transactionVersion: 2n,
      size: 405n,
      vSize: 324n,
      lockTime: 850_000n,
      inputs: inputStructs,
      outputs: outputStructs,
      totalInputs: 3n,
      totalOutputs: 4n,
      containsAllInputs: true,
      containsAllOutputs: true,
    });
    expect(asked).toEqual([`0x42 ${question(TXID, '0x7ffe2d0a')}`]);
  });

  test('with more than 32 inputs and outputs says how many there are', async () => {
    const inputs = Array.from({ length: 33 }, (_, i): FrameInput => ({ ...(INPUTS[0] as FrameInput), vout: i }));
    const outputs = Array.from({ length: 300 }, (_, i): FrameOutput => ({ ...(OUTPUTS[0] as FrameOutput), sats: BigInt(i) }));
    know('0x7ffe2d0a', concatHex([headFrame, inputsFrame(inputs), outputsFrame(outputs)]));
    const transaction = await kit<Record<string, unknown> & { inputs: { sourceIndex: bigint }[]; outputs: { outValue: bigint }[] }>(
      'getTransactionByTxId',
      TXID,
    );
    const first32 = Array.from({ length: 32 }, (_, i) => BigInt(i));
    expect(transaction.inputs.map(({ sourceIndex }) => sourceIndex)).toEqual(first32);
    expect(transaction.outputs.map(({ outValue }) => outValue)).toEqual(first32);
    expect(transaction).toMatchObject({ totalInputs: 33n, totalOutputs: 300n, containsAllInputs: false, containsAllOutputs: false });
  });

  test('with exactly 32 inputs and outputs has them all', async () => {
    const inputs = Array.from({ length: 32 }, () => INPUTS[1] as FrameInput);
    const outputs = Array.from({ length: 32 }, () => OUTPUTS[1] as FrameOutput);
    know('0x7ffe2d0a', concatHex([headFrame, inputsFrame(inputs), outputsFrame(outputs)]));
    expect(await kit('getTransactionByTxId', TXID)).toMatchObject({ containsAllInputs: true, containsAllOutputs: true });
  });

  test('costs less than 330,000 gas with 32 cut scripts on both sides, and a page of 255 unspent outputs less than 580,000', async () => {
    const inputs = Array.from({ length: 32 }, () => INPUTS[2] as FrameInput);
    const outputs = Array.from({ length: 32 }, (): FrameOutput => ({ sats: 0n, script: `0x6a4c50${'9a'.repeat(80)}`, unspent: false }));
    know('0x7ffe2d0a', concatHex([headFrame, inputsFrame(inputs), outputsFrame(outputs)]));
    const rows = Array.from({ length: 255 }, () => concatHex([TXID, u16(1), u64(1n)]));
    answers['0x41'] = { [concatHex([toHex(ADDRESS), '0x000000', '0xff'])]: concatHex(['0xff', ...rows]) };
    const call = { from: ALICE, to: BITCOIN_KIT };
    const transaction = await chain.send({ ...call, abi: bitcoinKit.abi, name: 'getTransactionByTxId', args: [TXID] });
    const page = await chain.send({ ...call, abi: unspentAbi('0xd12c1974'), name: 'getUTXOsForBitcoinAddress', args: [ADDRESS, 0, 255] });
    expect([transaction.ok, page.ok]).toEqual([true, true]);
    expect(transaction.gasUsed).toBeLessThan(330_000n);
    expect(page.gasUsed).toBeLessThan(580_000n);
  });

  test('gives its inputs alone', async () => {
    know('0x47802808', concatHex([BLOCK, inputsFrame(INPUTS)]));
    expect(await kit('getTransactionInputsByTxId', TXID)).toEqual(inputStructs);
  });

  test('gives its outputs alone, which needs nothing of its inputs', async () => {
    know('0x003c0502', outputsFrame(OUTPUTS));
    expect(await kit('getTransactionOutputsByTxId', TXID)).toEqual(outputStructs);
  });

  test('counts its inputs and outputs', async () => {
    know('0x04000000', concatHex([u16(65_535), u64(7n)]));
    know('0x00280000', concatHex([u16(2_000), u64(7n)]));
    expect(await kit('getTxInputCount', TXID)).toBe(65_535);
    expect(await kit('getTxOutputCount', TXID)).toBe(2_000);
  });

  test('exists or not', async () => {
    know('0x40000000', BLOCK);
    expect(await kit('transactionExists', TXID)).toBe(true);
    expect(await kit('transactionExists', OTHER)).toBe(false);
  });

  test('that nobody knows is told from one whose inputs nobody knows', async () => {
    know('0x40000000', BLOCK);
    for (const name of ['getTransactionByTxId', 'getTransactionInputsByTxId', 'getTxInputCount']) {
      await expect(kit(name, OTHER), name).rejects.toThrow('Bitcoin transaction not found');
      await expect(kit(name, TXID), name).rejects.toThrow('Bitcoin input value unknown');
    }
    for (const name of ['getTransactionOutputsByTxId', 'getTxOutputCount', 'getTxConfirmations']) {
      await expect(kit(name, OTHER), name).rejects.toThrow('Bitcoin transaction not found');
    }
  });

  test('has confirmations; asking for those of an unknown one does not burn the gas of the caller', async () => {
    answers['0x43'] = { [TXID]: u32(6) };
    expect(await kit('getTxConfirmations', TXID)).toBe(6);
    const call = { from: ALICE, to: BITCOIN_KIT, abi: bitcoinKit.abi, name: 'getTxConfirmations', args: [OTHER] };
    const outcome = await chain.send({ ...call, gas: 1_000_000n });
    expect(outcome).toMatchObject({ ok: false, error: 'Bitcoin transaction not found' });
    expect(outcome.gasUsed).toBeLessThan(50_000n);
  });

  test('with a frame that is too short or too long is an error', async () => {
    const whole = concatHex([headFrame, inputsFrame(INPUTS), outputsFrame(OUTPUTS)]);
    know('0x7ffe2d0a', slice(whole, 0, size(whole) - 1));
    await expect(kit('getTransactionByTxId', TXID)).rejects.toThrow('Bitcoin precompile answer too short');
    know('0x7ffe2d0a', concatHex([whole, '0x00']));
    await expect(kit('getTransactionByTxId', TXID)).rejects.toThrow('Bitcoin precompile answer too long');
  });
});

describe('one input', () => {
  const frame = (script: Hex): Hex => concatHex([u16(2), u64(77n), OTHER, u16(513), cut(script, 65_535), u32(0xfffffffe)]);

  test('is read with its whole script', async () => {
    answers['0x47'] = { [concatHex([TXID, u16(259), u16(65_535)])]: frame(filler(1_650)) };
    expect(await kit('getSpecificTxInput', TXID, 259)).toEqual({
      witnessElements: 2n,
      inValue: 77n,
      inputTxId: OTHER,
      sourceIndex: 513n,
      scriptSig: filler(1_650),
      sequence: 0xfffffffen,
      fullScriptSigLength: 1_650n,
      containsFullScriptSig: true,
    });
  });

  test('that is not there is not found, also when only the low half of its index is that of another', async () => {
    answers['0x47'] = { [concatHex([TXID, u16(0), u16(65_535)])]: frame('0x') };
    expect(await kit('getSpecificTxInput', TXID, 0)).toMatchObject({ inValue: 77n });
    await expect(kit('getSpecificTxInput', TXID, 1)).rejects.toThrow('Bitcoin input not found');
    await expect(kit('getSpecificTxInput', TXID, 65_536)).rejects.toThrow('Bitcoin input not found');
  });
});

describe('one output', () => {
  const know48 = (script: Hex, state: Hex): void => {
    answers['0x48'] = { [concatHex([TXID, u16(258), u16(65_535)])]: concatHex([u64(99n), cut(script, 65_535), state]) };
  };

  test('is read with its whole script, spent or not', async () => {
    know48(filler(10_000), '0x01');
    const output = { ...plain, outValue: 99n, script: filler(10_000), isSpent: false, fullScriptLength: 10_000n };
    expect(await kit('getSpecificTxOutput', TXID, 258)).toEqual(output);
    know48(filler(10_000), '0x00');
    expect(await kit('getSpecificTxOutput', TXID, 258)).toEqual({ ...output, isSpent: true });
  });

  test('that nobody can spend is not spent', async () => {
    know48(filler(10_001), '0x00');
    expect(await kit('getSpecificTxOutput', TXID, 258)).toMatchObject({ isSpent: false, isOpReturn: false });
    know48('0x6a', '0x00');
    expect(await kit('getSpecificTxOutput', TXID, 258)).toMatchObject({ isSpent: false, isOpReturn: true });
  });

  test('whose script may be longer than its length word says does not claim to be whole', async () => {
    know48(filler(65_535), '0x00');
    expect(await kit('getSpecificTxOutput', TXID, 258)).toMatchObject({ fullScriptLength: 65_535n, containsFullScript: false });
    know48(filler(65_534), '0x00');
    expect(await kit('getSpecificTxOutput', TXID, 258)).toMatchObject({ fullScriptLength: 65_534n, containsFullScript: true });
  });

  test('that is not there is not found, also when only the low half of its index is that of another', async () => {
    know48('0x51', '0x01');
    await expect(kit('getSpecificTxOutput', TXID, 257)).rejects.toThrow('Bitcoin output not found');
    await expect(kit('getSpecificTxOutput', TXID, 65_536 + 258)).rejects.toThrow('Bitcoin output not found');
  });

  test.each([
    ['a push', '0x6a03aabbcc', '0xaabbcc'],
    ['a push of nothing', '0x6a00', '0x'],
    ['OP_PUSHDATA1', `0x6a4c50${'99'.repeat(80)}`, `0x${'99'.repeat(80)}`],
    ['OP_PUSHDATA2', `0x6a4d0201${'99'.repeat(258)}`, `0x${'99'.repeat(258)}`],
    ['OP_PUSHDATA4', `0x6a4e02010000${'99'.repeat(258)}`, `0x${'99'.repeat(258)}`],
    ['two pushes', '0x6a01aa01bb', '0x01aa01bb'],
    ['a small number', '0x6a5d', '0x5d'],
    ['an opcode that is no push, and as many bytes as its number', `0x6a4f${'99'.repeat(79)}`, `0x4f${'99'.repeat(79)}`],
    ['a push that promises more than there is', '0x6a04aabbcc', '0x04aabbcc'],
    ['a push that promises less than there is', '0x6a02aabbcc', '0x02aabbcc'],
    ['a length that is cut off', '0x6a4d02', '0x4d02'],
    ['a length that does not come', '0x6a4e', '0x4e'],
    ['nothing', '0x6a', '0x'],
  ] as [string, Hex, Hex][])('gives the data of an OP_RETURN with %s', async (_title, script, data) => {
    know48(script, '0x00');
    expect(await kit('getSpecificTxOutput', TXID, 258)).toMatchObject({ isOpReturn: true, opReturnData: data, script });
  });

  test('gives as much of the data as there is of the script', async () => {
    const script: Hex = `0x6a4c50${'9a'.repeat(80)}`;
    know('0x003c0502', outputsFrame([{ sats: 0n, script, unspent: false }]));
    expect(await kit('getTransactionOutputsByTxId', TXID)).toMatchObject([
      { opReturnData: `0x${'9a'.repeat(61)}`, fullScriptLength: 83n, containsFullScript: false, isSpent: false },
    ]);
  });
});

test('frames of the public network are read: the spend chain of the shared vectors', async () => {
  const txid: Hex = '0x43e1787537ea1adadc5a4b449e3783bb47d9a13aeeab04d40e7251484b4c64fb';
  const script: Hex = '0x76a914333333333333333333333333333333333333333388ac';
  answers['0x48'] = { [concatHex([txid, '0x0000ffff'])]: '0x00000000b2d05e00001976a914333333333333333333333333333333333333333388ac01' };
  answers['0x41'] = { [concatHex([toHex(ADDRESS), '0x00000064'])]: concatHex(['0x01', txid, '0x000100000000ee6b2800']) };
  answers['0x44'] = {
    '0x': '0x000000021c4e7cc66e150d2bb2d110c40549d2c30389fad3de83ab4990e2a637b8fa3b3a00000004198744260380d1334cc31ba9b439a39e77d30323e846e4f6880c13cdf0a1aeb77abe4700af859fa29209ac135cf13b85131300d175e44623ed2227a6f6dd79814d49e652207fffff000007d2',
  };
  expect(await kit('getSpecificTxOutput', txid, 0)).toMatchObject({ outValue: 3_000_000_000n, script, isSpent: false, fullScriptLength: 25n });
  expect(await chain.read(BITCOIN_KIT, unspentAbi('0xd12c1974'), 'getUTXOsForBitcoinAddress', [ADDRESS, 0, 100])).toEqual([
    { txId: txid, index: 1n, value: 4_000_000_000n, scriptPubKey: '0x' },
  ]);
  expect(await kit('getLastHeader')).toEqual({
    height: 2,
    blockHash: '0x1c4e7cc66e150d2bb2d110c40549d2c30389fad3de83ab4990e2a637b8fa3b3a',
    version: 4,
    previousBlockHash: '0x198744260380d1334cc31ba9b439a39e77d30323e846e4f6880c13cdf0a1aeb7',
    merkleRoot: '0x7abe4700af859fa29209ac135cf13b85131300d175e44623ed2227a6f6dd7981',
    timestamp: 0x4d49e652,
    bits: 0x207fffff,
    nonce: 2_002,
  });
});

describe('a header', () => {
  const frame = (height: number): Hex => concatHex([u32(height), BLOCK, u32(0x20000000), OTHER, TXID, u32(1_767_225_600), u32(0x207fffff), u32(5)]);
  const header = (height: number) => ({
    height,
    blockHash: BLOCK,
    version: 0x20000000,
    previousBlockHash: OTHER,
    merkleRoot: TXID,
    timestamp: 1_767_225_600,
    bits: 0x207fffff,
    nonce: 5,
  });

  test('is read, the last and that at a height', async () => {
    answers['0x44'] = { '0x': frame(900_123) };
    answers['0x45'] = { [u32(900_000)]: frame(900_000) };
    expect(await kit('getLastHeader')).toEqual(header(900_123));
    expect(await kit('getHeaderN', 900_000)).toEqual(header(900_000));
  });

  test('that is not there is not found', async () => {
    await expect(kit('getLastHeader')).rejects.toThrow('Bitcoin header not found');
    await expect(kit('getHeaderN', 900_001)).rejects.toThrow('Bitcoin header not found');
  });
});

describe('a contract that imports the interface', () => {
  const READER: Address = '0xc0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff';
  const reader = compile('solidity', 'test/solidity').find(({ contractName }) => contractName === 'KitReader');
  if (!reader) throw new Error('no KitReader');
  const abi = reader.abi as typeof bitcoinKit.abi;

  test('reads structs from the kit', async () => {
    await chain.setCode(READER, reader.deployedBytecode);
    know('0x7ffe2d0a', concatHex([headFrame, inputsFrame(INPUTS), outputsFrame(OUTPUTS)]));
    expect(await chain.read(READER, abi, 'read', [TXID])).toEqual([2n ** 63n + 5_000_000_001n - 7_000n, `0x${'66'.repeat(20)}`]);
  });

  test('goes on with its gas after asking for what is not there', async () => {
    await chain.setCode(READER, reader.deployedBytecode);
    const outcome = await chain.send({ from: ALICE, to: READER, abi, name: 'confirmationsOrZero', args: [TXID], gas: 1_000_000n });
    expect(outcome).toMatchObject({ ok: true, output: padHex('0x', { size: 32 }) });
    expect(outcome.gasUsed).toBeLessThan(60_000n);
  });

  test('finds it in the package under the name of the README', () => {
    const path = createRequire(import.meta.url).resolve('@hemid/contracts/solidity/IBitcoinKit.sol');
    expect(path).toBe(fileURLToPath(new URL('../solidity/IBitcoinKit.sol', import.meta.url)));
  });
});
