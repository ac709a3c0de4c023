import { type BitcoinView, concat, displayBytes, fromHex, type Hex, toBigEndian, toHex } from '@hemid/protocol';
import { createTestNetwork, createUser, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBlockExecution, type SimulationResult } from '../src/index.ts';
import { assemble, creationOf, type Opcode, word } from './lab.ts';

const KINDS = ['CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL'] as const;
type Kind = (typeof KINDS)[number];
const SOMEONE = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
const PLENTY = 200_000n;

/** Calldata: address, gas, input. Result: success, gas used by the call and the opcodes around it, returned bytes. */
function forwarder(kind: Kind): Uint8Array {
  const value: (Opcode | number)[] = kind === 'CALL' || kind === 'CALLCODE' ? [0] : [];
  return assemble(
    ...([64, 'CALLDATASIZE', 'SUB', 64, 0, 'CALLDATACOPY'] as const),
    ...(['GAS', 0, 0, 64, 'CALLDATASIZE', 'SUB', 0, ...value, 0, 'CALLDATALOAD', 32, 'CALLDATALOAD', kind] as const),
    ...([0, 'MSTORE', 'GAS', 'SWAP1', 'SUB', 32, 'MSTORE'] as const),
    ...(['RETURNDATASIZE', 0, 64, 'RETURNDATACOPY', 64, 'RETURNDATASIZE', 'ADD', 0, 'RETURN'] as const),
  );
}

let network: TestNetwork;
const forwarders: Partial<Record<Kind, Hex>> = {};
/** A Bitcoin transaction that pays {@link SOMEONE}, display order, and the height of its block. */
let payment: { txid: string; height: number };

beforeAll(async () => {
  network = await createTestNetwork();
  const { bitcoin, sequencer } = network;
  const user = createUser(sequencer.node, 0);
  for (const kind of KINDS) forwarders[kind] = await user.deploy({ abi: [], bytecode: creationOf(forwarder(kind)) });
  const { txid } = await bitcoin.wallet.pay({ outputs: [{ to: SOMEONE, valueSats: 70_000n }] });
  await bitcoin.mineBlocks(5);
  payment = { txid, height: 111 };
  await sequencer.build();
});
afterAll(() => network.close());

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const chain = () => network.sequencer.node.chain;
const inputOf = (address: number, input: Uint8Array, gas: bigint): Uint8Array => concat(fromHex(word(address)), fromHex(word(gas)), input);
const message = (to: Uint8Array, data: Uint8Array) => ({ from: new Uint8Array(20), to, data, value: 0n, gas: undefined, gasPrice: undefined });

interface Outcome {
  succeeded: boolean;
  used: bigint;
  output: Hex;
}

/** Calls a precompile from a contract, at the head or at an earlier block. */
async function call(address: number, input: Uint8Array, { kind = 'CALL' as Kind, gas = PLENTY, at = chain().head('latest') } = {}): Promise<Outcome> {
  const result = await chain().simulate(at, message(fromHex(forwarders[kind] as Hex), inputOf(address, input, gas)));
  if (!result.succeeded) throw new Error(`the forwarder failed: ${result.error}`);
  const { output } = result;
  return {
    succeeded: BigInt(toHex(output.subarray(0, 32))) === 1n,
    used: BigInt(toHex(output.subarray(32, 64))),
    output: toHex(output.subarray(64)),
  };
}

/** Gas that the call itself takes: what is left over the opcodes around it, with a warm address. */
async function gasOf(address: number, input: Uint8Array, kind: Kind): Promise<bigint> {
  const { used } = await call(address, input, { kind });
  const around = (await call(0x44, new Uint8Array(input.length), { kind })).used - 5_000n;
  return used - around;
}

/** The frame of a Bitcoin block of the source: height ‖ hash ‖ header in big-endian parts. */
async function frameAt(height: number): Promise<Hex> {
  const hash = (await network.bitcoin.rpc('getblockhash', [height])) as string;
  const raw = fromHex((await network.bitcoin.rpc('getblockheader', [hash, false])) as string);
  const flip = (from: number, to: number): Uint8Array => raw.slice(from, to).reverse();
  return toHex(concat(toBigEndian(height, 4), fromHex(hash), flip(0, 4), flip(4, 36), flip(36, 68), flip(68, 72), flip(72, 76), flip(76, 80)));
}

for (const kind of KINDS) {
  describe(`by ${kind}`, () => {
    test('0x40 gives the balance of an address, and nothing for a wrong length or an address that does not decode', async () => {
      expect(await call(0x40, ascii(SOMEONE), { kind })).toMatchObject({ succeeded: true, output: toHex(toBigEndian(70_000n, 8)) });
      for (const wrong of ['', 'x'.repeat(23), 'x'.repeat(24), `${SOMEONE} `, 'bc1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqthqst8']) {
        expect(await call(0x40, ascii(wrong), { kind })).toMatchObject({ succeeded: true, output: '0x' });
      }
      expect(await gasOf(0x40, ascii(SOMEONE), kind)).toBe(50_000n);
      expect(await gasOf(0x40, ascii('x'), kind)).toBe(50_000n);
    });

    test('0x43 gives the confirmations, nothing for a wrong length, and burns all gas for an unknown transaction', async () => {
      const txid = fromHex(payment.txid);
      // Light tip 115, made at 111.
      expect(await call(0x43, txid, { kind })).toMatchObject({ succeeded: true, output: '0x00000005' });
      for (const wrong of [new Uint8Array(), txid.subarray(1), concat(txid, Uint8Array.of(0))]) {
        expect(await call(0x43, wrong, { kind })).toMatchObject({ succeeded: true, output: '0x' });
      }
      expect(await gasOf(0x43, txid, kind)).toBe(5_000n);
      expect(await call(0x43, displayBytes(txid), { kind })).toMatchObject({ succeeded: false, output: '0x' });
      expect(await gasOf(0x43, displayBytes(txid), kind)).toBe(PLENTY);
    });

    test('0x44 gives the frame of the index tip for any input', async () => {
      const frame = await frameAt(113);
      for (const input of [new Uint8Array(), new Uint8Array(77).fill(1)]) {
        expect(await call(0x44, input, { kind })).toMatchObject({ succeeded: true, output: frame });
      }
    });

    test('0x45 gives the frame from the hVM genesis to the index tip, and nothing outside or for a wrong length', async () => {
      for (const height of [110, 111, 113]) expect((await call(0x45, toBigEndian(height, 4), { kind })).output).toBe(await frameAt(height));
      for (const wrong of [
        toBigEndian(109, 4),
        toBigEndian(114, 4),
        toBigEndian(115, 4),
        toBigEndian(0xffffffff, 4),
        toBigEndian(111, 3),
        toBigEndian(111, 5),
      ]) {
        expect(await call(0x45, wrong, { kind })).toMatchObject({ succeeded: true, output: '0x' });
      }
      expect(await gasOf(0x45, toBigEndian(111, 4), kind)).toBe(6_000n);
    });

    test('every precompile is warm, succeeds with exactly its gas, and burns what it gets when that is less', async () => {
      for (const [address, gas, input] of [
        [0x40, 50_000n, ascii(SOMEONE)],
        [0x43, 5_000n, fromHex(payment.txid)],
        [0x44, 5_000n, new Uint8Array()],
        [0x45, 6_000n, toBigEndian(111, 4)],
      ] as const) {
        const exact = await call(address, input, { kind, gas });
        expect(exact.succeeded).toBe(true);
        // 100 for a warm call and some 30 for the opcodes; a cold one would be 2,600 more.
        expect(exact.used - gas).toBeLessThan(200n);
        const short = await call(address, input, { kind, gas: gas - 1n });
        expect(short).toMatchObject({ succeeded: false, output: '0x' });
        expect(short.used).toBe(exact.used - 1n);
      }
    });
  });
}

test('a transaction to a precompile itself answers too', async () => {
  const precompile = (address: number): Uint8Array => fromHex(word(address)).subarray(12);
  const direct = (address: number, input: Uint8Array): Promise<SimulationResult> =>
    chain().simulate(chain().head('latest'), message(precompile(address), input));
  expect(toHex((await direct(0x40, ascii(SOMEONE))).output)).toBe(toHex(toBigEndian(70_000n, 8)));
  expect((await direct(0x43, new Uint8Array(32))).succeeded).toBe(false);
});

describe('Bitcoin as an earlier block saw it', () => {
  test('a call at an earlier block sees the outputs, the tip and the confirmations of that block', async () => {
    const { bitcoin, sequencer } = network;
    const earlier = chain().head('latest');
    await bitcoin.wallet.pay({ outputs: [{ to: SOMEONE, valueSats: 1_000n }] });
    await bitcoin.mineBlocks(4);
    await sequencer.build(2);
    const balance = (at = chain().head('latest')): Promise<Outcome> => call(0x40, ascii(SOMEONE), { at });
    expect((await balance()).output).toBe(toHex(toBigEndian(71_000n, 8)));
    expect((await balance(earlier)).output).toBe(toHex(toBigEndian(70_000n, 8)));
    expect((await call(0x44, new Uint8Array(), { at: earlier })).output).toBe(await frameAt(113));
    expect((await call(0x44, new Uint8Array())).output).toBe(await frameAt(117));
    expect((await call(0x43, fromHex(payment.txid), { at: earlier })).output).toBe('0x00000005');
    expect((await call(0x43, fromHex(payment.txid))).output).toBe('0x00000009');
  });

  test('an output that was spent since is still there for the earlier block', async () => {
    const { bitcoin, sequencer } = network;
    // The wallet's P2PKH coin, then its spend.
    await bitcoin.wallet.pay({ outputs: [{ to: bitcoin.wallet.addresses.p2pkh, valueSats: 500_000n }] });
    await bitcoin.mineBlocks(3);
    await sequencer.build();
    const earlier = chain().head('latest');
    await bitcoin.wallet.pay({ outputs: [{ to: SOMEONE, valueSats: 100_000n }], from: 'p2pkh' });
    await bitcoin.mineBlocks(3);
    await sequencer.build();
    const input = ascii(bitcoin.wallet.addresses.p2pkh);
    expect((await call(0x40, input, { at: earlier })).output).toBe(toHex(toBigEndian(500_000n, 8)));
    const left = BigInt((await call(0x40, input)).output);
    expect(left).toBeGreaterThan(390_000n);
    expect(left).toBeLessThan(400_000n);
  });

  test('where the index has left the branch of a block, a call and a block end with a retry error and no value', async () => {
    const { bitcoin, sequencer } = network;
    const earlier = chain().head('latest');
    const lost: BitcoinView = chain().viewAt(earlier);
    await bitcoin.reorg(4);
    await sequencer.build();
    const unavailable = { code: 'bitcoin/view-unavailable', severity: 'retry' };
    for (const kind of KINDS) await expect(call(0x40, ascii(SOMEONE), { kind, at: earlier })).rejects.toMatchObject(unavailable);
    await expect(call(0x43, fromHex(payment.txid), { at: earlier })).rejects.toMatchObject(unavailable);

    const user = createUser(sequencer.node, 1);
    const { pool } = sequencer.node;
    const hash = await user.send({ to: forwarders.STATICCALL as Hex, data: toHex(inputOf(0x40, ascii(SOMEONE), PLENTY)) });
    const transaction = pool?.read(fromHex(hash));
    const { header } = chain().head('latest');
    const input = { parent: header, timestamp: header.timestamp + 1n, beneficiary: new Uint8Array(20), ancestorHash: () => undefined };
    const execution = await openBlockExecution(chain().execution, input, lost);
    await expect(execution.user(transaction as NonNullable<typeof transaction>)).rejects.toMatchObject(unavailable);
  });
});
