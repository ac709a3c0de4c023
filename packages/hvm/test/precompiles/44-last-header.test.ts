import { beforeAll, expect, test } from 'vitest';
import { lastHeader } from '../../src/index.ts';
import { call, digits, openScene, type Scene, u32, value } from './scene.ts';

const GAS = 5_000n;
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});

/** The frame of a block of the scene, from the header's own bytes. */
function frameOf({ lab, hashes }: Scene, height: number): string {
  const hash = hashes[height] as Uint8Array;
  const header = lab.headers.read(hash)?.header as Uint8Array;
  const turned = (from: number, to: number): string => digits(header.slice(from, to).reverse());
  return (
    u32(height) +
    digits(hash.slice().reverse()) +
    [turned(0, 4), turned(4, 36), turned(36, 68), turned(68, 72), turned(72, 76), turned(76, 80)].join('')
  );
}

test('value: the frame of the index tip, for any input', async () => {
  const frame = frameOf(scene, 5);
  expect(frame).toHaveLength(232);
  for (const input of ['', '00', 'ff'.repeat(500)]) expect(await call(lastHeader, input, scene)).toEqual(value(frame, GAS));
});

test('value: of an earlier block, and of the hVM genesis itself', async () => {
  for (const [tip, shown] of [
    [6, 4],
    [3, 1],
    [2, 2],
    [1, 1],
    [0, 0],
  ] as const) {
    const view = scene.lab.view(scene.hashes[tip] as Uint8Array);
    expect(await call(lastHeader, '', { ...scene, view })).toEqual(value(frameOf(scene, shown), GAS));
  }
});
