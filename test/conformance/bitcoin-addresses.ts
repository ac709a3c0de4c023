import { createRequire } from 'node:module';
import { addressToScript, type BitcoinNetwork, fromHex, scriptToAddress, toDigits } from '@hemid/protocol';
import type { SharedData } from './data.ts';
import { expectHex, expectSame } from './expect.ts';
import type { Report } from './report.ts';

interface KeyMeta {
  chain: string;
  isPrivkey: boolean;
  tryCaseFlip?: boolean;
}

const NETWORKS: BitcoinNetwork[] = ['mainnet', 'testnet4', 'signet', 'regtest'];

/** Networks of a chain in Core's words; addresses of testnet3 are those of the other public test networks. */
const CHAINS: Record<string, BitcoinNetwork[]> = {
  main: ['mainnet'],
  test: ['testnet4', 'signet'],
  testnet4: ['testnet4'],
  signet: ['signet'],
  regtest: ['regtest'],
};

const flipCase = (text: string): string => text.replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

/** Whether a script is a witness program that has no standard meaning: precompiles do not decode its address. */
function isNonStandardWitness(script: Uint8Array): boolean {
  const [version = -1, size = -1] = script;
  const isProgram = (version === 0 || (version >= 0x51 && version <= 0x60)) && size === script.length - 2 && size >= 2 && size <= 40;
  return isProgram && !(version === 0 && (size === 20 || size === 32)) && !(version === 0x51 && size === 32);
}

async function valid(data: SharedData, report: Report): Promise<void> {
  const rows = data.json<[string, string, KeyMeta][]>('bitcoin/core/key_io_valid.json');
  let nonStandard = 0;
  for (const [text, payload, { chain, isPrivkey, tryCaseFlip }] of rows) {
    const networks = CHAINS[chain] ?? [];
    if (isPrivkey) {
      await report.check(`private key ${text} is no address`, () => {
        for (const network of NETWORKS) expectSame(addressToScript(text, network), undefined);
      });
      continue;
    }
    const script = fromHex(payload);
    const decodes = !isNonStandardWitness(script);
    if (!decodes) nonStandard += 1;
    await report.check(`address ${text} of ${chain} ${decodes ? 'decodes' : 'is no standard witness program and does not decode'}`, () => {
      expectSame(networks.length > 0, true);
      for (const network of networks) {
        const expected = decodes ? payload : 'nothing';
        for (const form of tryCaseFlip === true ? [text, flipCase(text)] : [text]) {
          const found = addressToScript(form, network);
          expectSame(found === undefined ? 'nothing' : toDigits(found), expected);
        }
        expectSame(scriptToAddress(script, network), decodes ? text : undefined);
      }
      if (tryCaseFlip !== true) expectSame(addressToScript(flipCase(text), networks[0] as BitcoinNetwork), undefined);
      const others = chain === 'main' ? NETWORKS.slice(1) : (['mainnet'] as const);
      for (const network of others) expectSame(addressToScript(text, network), undefined);
    });
  }
  await report.check('eight addresses are of non-standard witness programs', () => expectSame(nonStandard, 8));
}

async function invalid(data: SharedData, report: Report): Promise<void> {
  for (const [text] of data.json<[string][]>('bitcoin/core/key_io_invalid.json')) {
    await report.check(`"${text}" is no address`, () => {
      for (const network of NETWORKS) expectSame(addressToScript(text, network), undefined);
    });
  }
}

interface Base58 {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
}

/** The base58 under every base58check address here: a dependency of the protocol package. */
async function loadBase58(): Promise<Base58> {
  const path = createRequire(new URL('../../packages/protocol/package.json', import.meta.url)).resolve('bs58');
  return ((await import(path)) as { default: Base58 }).default;
}

async function base58(data: SharedData, report: Report): Promise<void> {
  const codec = await loadBase58();
  for (const [hex, text] of data.json<[string, string][]>('bitcoin/core/base58_encode_decode.json')) {
    await report.check(`base58 of "${hex}"`, () => {
      expectSame(codec.encode(fromHex(hex)), text);
      expectHex(codec.decode(text), hex);
    });
  }
}

/** Core's addresses and base58. */
export async function addressCases(data: SharedData, report: Report): Promise<void> {
  await report.check('key_io_valid.json', () => valid(data, report));
  await report.check('key_io_invalid.json', () => invalid(data, report));
  await report.check('base58_encode_decode.json', () => base58(data, report));
}
