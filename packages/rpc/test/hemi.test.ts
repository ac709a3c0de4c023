import { decodeSealedBlock, fromHex, hashKeystone, toDisplay, toHex, toKeystoneId, toKeystoneJson } from '@hemid/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';
import { GENESIS_TIME, openTestChain } from './test-chain.ts';

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
  await f.mine(1);
  await f.buildMany(12);
});
afterAll(() => f.close());

const placed = (number: number) => f.chain.headerAt(BigInt(number)) ?? f.chain.head('earliest');
const jsonOf = (number: number) => toKeystoneJson(f.chain.keystone(placed(number)));
const idOf = (number: number) => toKeystoneId(hashKeystone(f.chain.keystone(placed(number))));
const refusal = (message: string) => ({ keystones: null, error: { timestamp: GENESIS_TIME, message } });

describe('kss', () => {
  it('gives the latest keystones, newest first', async () => {
    expect((await f.call('kss_getLatestKeystones', 1)).result).toEqual({ keystones: [jsonOf(10)] });
    expect((await f.call('kss_getLatestKeystones', 50)).result).toEqual({ keystones: [jsonOf(10), jsonOf(5)] });
    expect((await f.call('kss_getLatestKeystones', '0x2')).result.keystones).toHaveLength(2);
    expect((await f.call('kss_getLatestKeystones', 0)).result).toEqual({ keystones: [] });
    expect(jsonOf(10)).toMatchObject({ l2_block_number: 10, l1_block_number: 1, prev_ep_keystone_hash: jsonOf(5).ep_hash });
  });

  it('gives a keystone and later ones', async () => {
    expect((await f.call('kss_getKeystone', idOf(5), 0)).result).toEqual({ keystones: [jsonOf(5)] });
    expect((await f.call('kss_getKeystone', `0x${idOf(5)}`, 5)).result).toEqual({ keystones: [jsonOf(5), jsonOf(10)] });
    expect((await f.call('kss_getKeystone', idOf(10))).result).toEqual({ keystones: [jsonOf(10)] });
  });

  it('refuses inside the result', async () => {
    expect((await f.call('kss_getLatestKeystones', 51)).result).toEqual(refusal('count too large'));
    expect((await f.call('kss_getKeystone', idOf(5), 51)).result).toEqual(refusal('count too large'));
    const unknown = '11'.repeat(32);
    expect((await f.call('kss_getKeystone', unknown, 1)).result).toEqual(refusal(`keystone not found: ${unknown}`));
    expect((await f.call('kss_getKeystone', 'abc', 1)).error.code).toBe(-32602);
  });
});

describe('hemi', () => {
  it('gives sealed blocks that another node imports', async () => {
    const raws = (await f.call('hemi_getSealedBlocks', 1, 64)).result as string[];
    expect(raws).toHaveLength(12);
    expect((await f.call('hemi_getSealedBlocks', '0xb', '0x40')).result).toEqual(raws.slice(10));
    expect((await f.call('hemi_getSealedBlocks', 3, 2)).result).toEqual(raws.slice(2, 4));
    expect((await f.call('hemi_getSealedBlocks', 13, 1)).result).toEqual([]);
    const other = await openTestChain(f.clock);
    await other.mine(1);
    for (const raw of raws) await other.take(decodeSealedBlock(fromHex(raw)));
    expect(toHex(other.chain.head('latest').hash)).toBe(toHex(f.chain.head('latest').hash));
    await other.close();
    expect((await f.call('hemi_getSealedBlocks', 1, 65)).error).toMatchObject({
      code: -32602,
      message: 'invalid argument 1 (count): must be at most 64',
    });
  });

  it('gives raw Bitcoin blocks', async () => {
    const tip = f.chain.viewAt(f.chain.head('latest')).lightTip;
    const { result } = await f.call('hemi_getBitcoinBlock', toDisplay(tip.hash));
    expect(result).toBe(toHex(f.bitcoin.readRaw(tip.hash) ?? new Uint8Array()));
    expect(result.length).toBeGreaterThan(2 + 2 * 80);
    expect((await f.call('hemi_getBitcoinBlock', '22'.repeat(32))).result).toBeNull();
  });

  it('gives the status of the node', async () => {
    const tip = toDisplay(f.chain.viewAt(f.chain.head('latest')).lightTip.hash);
    expect((await f.call('hemi_getStatus')).result).toMatchObject({
      ready: true,
      reasons: [],
      latest: { number: '0xc', hash: toHex(placed(12).hash), bitcoinTip: tip },
      finalized: { number: '0x0' },
    });
  });
});
