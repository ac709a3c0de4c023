import { ContractFunctionRevertedError, type Hex, InsufficientFundsError, padHex, parseEther, toFunctionSelector } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';
import { signalAbi } from './signal-contract.ts';
import { alice, beggar } from './test-chain.ts';

let f: Fixture;
let contract: Hex;
const word = (n: number): Hex => padHex(`0x${n.toString(16)}`, { size: 32 });

beforeAll(async () => {
  f = await openFixture();
  contract = await f.deploySignal();
  await f.ping(contract, word(42));
  await f.build();
});
afterAll(() => f.close());

const selector = (name: string): Hex => toFunctionSelector(`${name}()`);

const read = (functionName: 'value' | 'refuse' | 'panic' | 'bare' | 'burn' | 'broken', blockNumber?: bigint) =>
  f.client.readContract({ address: contract, abi: signalAbi, functionName, ...(blockNumber === undefined ? {} : { blockNumber }) });

describe('eth_call', () => {
  it('reads the state of the block it is asked about', async () => {
    expect(await read('value')).toBe(word(42));
    expect(await read('value', 1n)).toBe(word(0));
  });

  it('changes nothing', async () => {
    await f.client.simulateContract({ account: alice, address: contract, abi: signalAbi, functionName: 'ping', args: [word(1)] });
    expect(await read('value')).toBe(word(42));
  });

  it('gives the reason of a revert and its data', async () => {
    const error = await read('refuse').catch((thrown) => thrown);
    expect(error.walk((e: unknown) => e instanceof ContractFunctionRevertedError).reason).toBe('no way');
    const refused = (await f.call('eth_call', { to: contract, input: selector('refuse') }, 'latest')).error;
    expect(refused).toMatchObject({ code: 3, message: 'execution reverted: no way' });
    expect(refused.data).toMatch(/^0x08c379a0/);
  });

  it('names a panic, and says nothing where there is nothing to say', async () => {
    expect((await f.call('eth_call', { to: contract, data: selector('panic') })).error).toMatchObject({
      code: 3,
      message: 'execution reverted: arithmetic underflow or overflow',
    });
    expect((await f.call('eth_call', { to: contract, data: selector('bare') })).error).toEqual({
      code: 3,
      message: 'execution reverted',
      data: '0x',
    });
  });

  it('words the other failures of the EVM as geth does', async () => {
    expect((await f.call('eth_call', { to: contract, data: selector('burn') })).error).toEqual({ code: -32000, message: 'out of gas' });
    expect((await f.call('eth_call', { to: contract, data: selector('broken') })).error).toEqual({
      code: -32000,
      message: 'invalid opcode: INVALID',
    });
    expect((await f.call('eth_call', { to: contract, gas: '0x5208', data: '0x00' })).error).toMatchObject({
      code: -32000,
      message: 'intrinsic gas too low: have 21000, want 21010',
    });
  });

  it('refuses what the sender cannot pay', async () => {
    const error = await f.client.call({ account: beggar.address, to: alice.address, value: parseEther('1') }).catch((thrown) => thrown);
    expect(error.walk((e: unknown) => e instanceof InsufficientFundsError)).not.toBeNull();
  });

  it('refuses fees that contradict the block or one another', async () => {
    const from = alice.address;
    const messageOf = async (fees: object) =>
      (await f.call('eth_call', { from, to: contract, data: selector('value'), gas: '0xffff', ...fees })).error?.message;
    expect(await messageOf({ maxFeePerGas: '0x1' })).toMatch(/^max fee per gas less than block base fee: address 0x/);
    expect(await messageOf({ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' })).toMatch(/^max priority fee per gas higher than max fee per gas/);
    expect(await messageOf({ maxFeePerGas: '0x1', gasPrice: '0x2' })).toBe(
      'invalid argument 0 (call): both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
    );
    expect(await messageOf({ maxFeePerGas: '0x3b9aca00' })).toBeUndefined();
    const held = (await f.client.getBalance({ address: from })).toString(16);
    expect(
      await messageOf({
        maxFeePerGas: '0x3b9aca00',
        maxPriorityFeePerGas: '0x3b9aca00',
        gas: '0x7530',
        value: `0x${(BigInt(`0x${held}`) - 30_000n * 10n ** 9n).toString(16)}`,
        to: beggar.address,
        data: '0x',
      }),
    ).toBeUndefined();
  });

  it('sees state and block as the caller wants them, and forgets it', async () => {
    const data = selector('value');
    const overrides = { [contract]: { stateDiff: { [word(0)]: word(77) } } };
    expect((await f.call('eth_call', { to: contract, data }, 'latest', overrides)).result).toBe(word(77));
    expect((await f.call('eth_call', { to: contract, data }, 'latest')).result).toBe(word(42));
    const reader = { [beggar.address]: { code: '0x4360005260206000f3' } };
    expect((await f.call('eth_call', { to: beggar.address }, 'latest', reader, { number: '0x1234' })).result).toBe(word(0x1234));
    expect((await f.call('eth_call', { to: contract, data }, 'latest', { [contract]: { state: {}, stateDiff: {} } })).error.code).toBe(-32602);
    expect((await f.call('eth_call', { to: contract }, 'latest', { [contract]: { movePrecompileToAddress: beggar.address } })).error.message).toMatch(
      /is not a precompile/,
    );
  });

  it('lets a contract call', async () => {
    expect((await f.call('eth_call', { from: contract, to: contract, data: selector('value') })).result).toBe(word(42));
  });

  it('refuses what contradicts itself', async () => {
    const data = selector('value');
    expect((await f.call('eth_call', { to: contract, data, input: selector('bare') })).error.code).toBe(-32602);
    expect((await f.call('eth_call', { to: contract, data, input: data }, 'latest', null)).result).toBe(word(42));
  });
});

describe('eth_estimateGas', () => {
  it('gives a limit with which the transaction succeeds', async () => {
    const gas = await f.client.estimateContractGas({ account: alice, address: contract, abi: signalAbi, functionName: 'ping', args: [word(9)] });
    const hash = await f.wallet.writeContract({ address: contract, abi: signalAbi, functionName: 'ping', args: [word(9)], gas });
    await f.build();
    const receipt = await f.client.getTransactionReceipt({ hash });
    expect(receipt.status).toBe('success');
    expect(receipt.gasUsed).toBeLessThanOrEqual(gas);
    expect(await f.client.estimateGas({ account: alice, to: beggar.address, value: 1n })).toBe(21_000n);
  });

  it('gives the reason when nothing would be enough', async () => {
    const errorOf = async (call: object) => (await f.call('eth_estimateGas', { from: alice.address, to: contract, ...call })).error;
    expect(await errorOf({ data: selector('refuse') })).toMatchObject({ code: 3, message: 'execution reverted: no way' });
    expect(await errorOf({ data: selector('broken') })).toEqual({ code: -32000, message: 'invalid opcode: INVALID' });
    expect(await errorOf({ data: selector('burn'), gas: '0x186a0' })).toEqual({ code: -32000, message: 'gas required exceeds allowance (100000)' });
    expect(await errorOf({ data: selector('burn') })).toEqual({ code: -32000, message: 'gas required exceeds allowance (16777216)' });
  });

  it('takes no more gas than the sender can pay for at its fee', async () => {
    await f.wallet.sendTransaction({ to: beggar.address, value: 30_000n * 1_000_000_000n });
    await f.build();
    const request = { from: beggar.address, maxFeePerGas: '0x3b9aca00', maxPriorityFeePerGas: '0x0' };
    expect((await f.call('eth_estimateGas', { ...request, to: alice.address })).result).toBe('0x5208');
    expect((await f.call('eth_estimateGas', { ...request, to: contract, data: selector('burn') })).error.message).toBe(
      'gas required exceeds allowance (30000)',
    );
    expect((await f.call('eth_estimateGas', { ...request, to: alice.address, value: '0xffffffffffffff' })).error.message).toBe(
      'insufficient funds for transfer',
    );
    expect((await f.call('eth_estimateGas', { ...request, to: alice.address, value: '0x1b48eb57e000' })).error?.message).toBe(
      'gas required exceeds allowance (0)',
    );
  });
});
