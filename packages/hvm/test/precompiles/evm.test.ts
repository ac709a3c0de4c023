import { createEVM, type EVM } from '@ethereumjs/evm';
import { Address } from '@ethereumjs/util';
import { concat } from '@hemid/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { bindAll, createCommon } from '../../src/index.ts';
import { addressOf, ascii, digits, openScene, SCRIPT, type Scene, u16, u32 } from './scene.ts';

let scene: Scene;
let evm: EVM;
beforeAll(async () => {
  scene = await openScene();
  evm = await createEVM({ common: createCommon(scene.spec), customPrecompiles: bindAll(scene.view, scene.spec) });
});

const PLENTY = 500_000n;
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

async function run(address: number, data: Uint8Array, gasLimit = PLENTY, machine = evm) {
  const to = new Address(hex(address.toString(16).padStart(40, '0')));
  const { execResult } = await machine.runCall({ to, data, gasLimit });
  const { exceptionError, executionGasUsed, returnValue } = execResult;
  return { error: exceptionError?.error as string | undefined, gas: executionGasUsed, output: digits(returnValue) };
}

/** An input with a value for each precompile, one with an empty answer, and its price. */
const cases = (): [address: number, gas: bigint, value: Uint8Array, empty: Uint8Array | undefined][] => {
  const { txid } = scene;
  const carol = ascii(addressOf(SCRIPT.carol));
  return [
    [0x40, 50_000n, carol, ascii('z'.repeat(30))],
    [0x41, 100_000n, concat(carol, new Uint8Array(4)), carol.subarray(0, 27)],
    [0x42, 25_000n, hex(`${txid.rich}7ffe2d0a`), hex(`${txid.nobody}7ffe2d0a`)],
    [0x43, 5_000n, hex(txid.rich), hex('a82f7c66')],
    [0x44, 5_000n, new Uint8Array(), undefined],
    [0x45, 6_000n, hex(u32(1)), hex(u32(6))],
    [0x46, 25_000n, carol, carol.subarray(0, 23)],
    [0x47, 15_000n, hex(txid.rich + u16(0) + u16(9)), hex(txid.coinbase + u16(0) + u16(9))],
    [0x48, 15_000n, hex(txid.rich + u16(0) + u16(9)), hex(txid.rich + u16(9) + u16(9))],
    [0x49, 15_000n, hex(txid.rich + u16(0) + u16(0) + u16(9)), hex(txid.rich + u16(0) + u16(9) + u16(9))],
  ];
};

describe('in a real EVM', () => {
  test('each of the ten answers for its price, neither more nor less with an empty answer', async () => {
    expect(cases().map(([address]) => address)).toEqual([0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49]);
    for (const [address, gas, valued, empty] of cases()) {
      const answer = await run(address, valued);
      expect(answer, address.toString(16)).toMatchObject({ error: undefined, gas });
      expect(answer.output).not.toBe('');
      if (empty !== undefined) expect(await run(address, empty), address.toString(16)).toEqual({ error: undefined, gas, output: '' });
    }
  });

  test('each runs with exactly its price and runs out of gas below it', async () => {
    for (const [address, gas, valued] of cases()) {
      expect(await run(address, valued, gas)).toMatchObject({ error: undefined, gas });
      expect(await run(address, valued, gas - 1n)).toMatchObject({ error: 'out of gas', gas: gas - 1n, output: '' });
    }
  });

  test('0x43 and 0x46 fail and burn all gas where the others are empty', async () => {
    expect(await run(0x43, hex(scene.txid.nobody))).toMatchObject({ error: expect.any(String), gas: PLENTY, output: '' });
    expect(await run(0x46, ascii('z'.repeat(30)))).toMatchObject({ error: expect.any(String), gas: PLENTY, output: '' });
  });

  test('BitcoinKit’s own flags give 32 inputs, 32 outputs and 64 bytes of script', async () => {
    const { output } = await run(0x42, hex(`${scene.txid.many}7ffe2d0a`));
    // Block hash, version, sizes, locktime; one input with witness count, value, source, scriptSig, sequence; the totals.
    const inputs = 2 + (2 + 8 + 36 + 2 + 4);
    const outputs = 2 + 32 * (8 + 2 + 1 + 1);
    expect(output).toHaveLength(2 * (32 + 4 + 8 + 4 + inputs + outputs));
  });

  test('what decoders turn round is not the memory of the caller', async () => {
    const data = Buffer.from(scene.txid.rich, 'hex');
    await run(0x43, data);
    expect(data.toString('hex')).toBe(scene.txid.rich);
  });

  test('lacking data is no outcome: it leaves the EVM as a retry error, at each that reads rows', async () => {
    const other = await openScene();
    await other.lab.stand(await other.lab.mineMany(9, other.hashes[0]));
    const away = other.lab.view(other.hashes[7] as Uint8Array);
    const machine = await createEVM({ common: createCommon(scene.spec), customPrecompiles: bindAll(away, scene.spec) });
    for (const [address, , valued] of cases()) {
      if ([0x44, 0x45, 0x46].includes(address)) continue;
      await expect(run(address, valued, PLENTY, machine), address.toString(16)).rejects.toMatchObject({
        code: 'bitcoin/view-unavailable',
        severity: 'retry',
      });
    }
  });
});
