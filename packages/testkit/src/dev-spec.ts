import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BitcoinRpc } from '@hemid/bitcoin';
import { completeTemplate } from '@hemid/node';
import { fromHex } from '@hemid/protocol';

const TEMPLATE = fileURLToPath(new URL('../../../configs/dev.json', import.meta.url));

/** The JSON of the spec of `hemid dev` with a Bitcoin node's tip of now as hVM genesis. */
export async function developmentSpecJson(rpc: BitcoinRpc, timeSeconds: number): Promise<unknown> {
  const height = (await rpc('getblockcount', [])) as number;
  const header = async (h: number): Promise<Uint8Array> => fromHex((await rpc('getblockheader', [await rpc('getblockhash', [h]), false])) as string);
  const headersBefore: Uint8Array[] = [];
  for (let h = Math.max(0, height - 11); h < height; h += 1) headersBefore.push(await header(h));
  return completeTemplate(TEMPLATE, { time: timeSeconds, bitcoin: { height, header: await header(height), headersBefore } });
}

/** {@link developmentSpecJson} without the rules of development: no 0x7F, and blocks wait for the clock, as everywhere else. */
export async function devSpecJson(rpc: BitcoinRpc, timeSeconds: number): Promise<unknown> {
  const spec = (await developmentSpecJson(rpc, timeSeconds)) as { genesis: { development?: true } };
  const { development: _, ...genesis } = spec.genesis;
  return { ...spec, genesis };
}

/** Writes {@link devSpecJson} to `directory`; @returns the file. */
export async function writeDevSpec(rpc: BitcoinRpc, directory: string): Promise<string> {
  const file = join(directory, 'chain.json');
  writeFileSync(file, JSON.stringify(await devSpecJson(rpc, Math.floor(Date.now() / 1000))));
  return file;
}
