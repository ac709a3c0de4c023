import type { CustomPrecompile, PrecompileInput } from '@ethereumjs/evm';
import { hexToBytes } from '@ethereumjs/util';
import { type Address, concatHex, type Hex, padHex, toHex } from 'viem';
import { beforeEach, describe, expect, test } from 'vitest';
import { bitcoinProbe } from '../src/index.ts';
import { createPredeployChain, type PredeployChain } from './predeploy-chain.ts';

const ALICE: Address = padHex('0xa11ce', { size: 20 });
const PROBE: Address = '0xc0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff';
const PARENT_HASHES: Address = '0x0000f90827f1c53a10cb7a02335b175320002935';
const HEIGHT = 900_123;
const HEADER = concatHex([toHex(HEIGHT, { size: 4 }), `0x${'ab'.repeat(112)}`]);
const BITCOIN_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const TXID = `0x${'cd'.repeat(32)}` as Hex;

/** Stands in for a Bitcoin precompile: answers one input, and says nothing to any other. */
const answering = (address: string, input: Hex, output: Hex): CustomPrecompile => ({
  address: padHex(address as Hex, { size: 20 }),
  function: ({ data }: PrecompileInput) => {
    const asked = toHex(data) === input;
    return { executionGasUsed: 5_000n, returnValue: asked ? hexToBytes(output) : new Uint8Array() };
  },
});

let chain: PredeployChain;
beforeEach(async () => {
  chain = await createPredeployChain({
    precompiles: [
      answering('0x40', toHex(BITCOIN_ADDRESS), toHex(75_000n, { size: 8 })),
      answering('0x43', TXID, toHex(6, { size: 4 })),
      answering('0x44', '0x', HEADER),
      answering('0x45', toHex(HEIGHT, { size: 4 }), HEADER),
    ],
  });
  await chain.setCode(PROBE, bitcoinProbe.deployedBytecode);
});

const view = (name: string, ...args: unknown[]) => chain.read(PROBE, bitcoinProbe.abi, name, args);

describe('the probe', () => {
  test('reads Bitcoin through the precompiles', async () => {
    expect(await view('lastHeader')).toBe(HEADER);
    expect(await view('balance', BITCOIN_ADDRESS)).toBe(75_000n);
    expect(await view('headerAt', HEIGHT)).toBe(HEADER);
    expect(await view('headerAt', HEIGHT + 1)).toBe('0x');
    expect(await view('confirmations', TXID)).toBe(6);
  });

  test('never takes an empty answer for a balance of 0', async () => {
    await expect(view('balance', 'not an address')).rejects.toThrow('ReadFailed');
    await expect(view('confirmations', padHex('0x', { size: 32 }))).rejects.toThrow('ReadFailed');
  });

  test('keeps what it read in a transaction', async () => {
    const outcome = await chain.send({
      from: ALICE,
      to: PROBE,
      abi: bitcoinProbe.abi,
      name: 'record',
      args: [BITCOIN_ADDRESS],
    });
    expect(outcome.events).toEqual([{ address: PROBE, name: 'Recorded', args: { bitcoinHeight: HEIGHT, sats: 75_000n } }]);
    expect(await view('recordedHeight')).toBe(HEIGHT);
    expect(await view('recordedSats')).toBe(75_000n);
  });

  test('reads a parent hash from the EIP-2935 contract', async () => {
    // The runtime code of EIP-2935; the chain of this test stands at block 1000.
    await chain.setCode(
      PARENT_HASHES,
      '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500',
    );
    await chain.setStorage(PARENT_HASHES, toHex(999, { size: 32 }), TXID);
    expect(await view('parentHashFrom2935', 999n)).toBe(TXID);
    await expect(view('parentHashFrom2935', 1000n)).rejects.toThrow('ReadFailed');
  });

  test('keeps the value and the data of a ping and of any unknown call', async () => {
    await chain.addBalance(ALICE, 10n);
    const calls: [Hex, bigint][] = [
      ['0x5c36b186', 3n],
      ['0xfeedbeef01', 4n],
      ['0x', 2n],
    ];
    for (const [data, value] of calls) {
      expect((await chain.send({ from: ALICE, to: PROBE, data, value })).ok).toBe(true);
      expect(await view('lastData')).toBe(data);
      expect(await view('lastValue')).toBe(value);
    }
  });
});
