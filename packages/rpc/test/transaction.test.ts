import { parseEther, parseGwei } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';
import { signalAbi } from './signal-contract.ts';
import { alice } from './test-chain.ts';

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

describe('transactions', () => {
  it('deploys a contract', async () => {
    const contract = await f.deploySignal();
    expect(await f.client.getCode({ address: contract })).toMatch(/^0x5f|^0x60/);
  });
});
