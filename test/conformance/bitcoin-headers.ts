import { readFileSync } from 'node:fs';
import { type HeaderChain, openHeaderChain } from '@hemid/bitcoin';
import {
  addressToScript,
  type BitcoinHeader,
  type ChainSpec,
  decodeBitcoinHeader,
  encodeBitcoinHeader,
  fromHex,
  hashBitcoinHeader,
  hasProofOfWork,
  isHemidError,
  parseChainSpec,
  requiredBits,
  scriptToAddress,
  toDisplay,
  toHex,
  toTarget,
  workOf,
} from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import type { SharedData } from './data.ts';
import { expectSame } from './expect.ts';
import type { Report } from './report.ts';

const FILE = 'bitcoin/mainnet-headers-1-32260.bin';
const LAST = 32_260;
const PERIOD = 2016;
const BEFORE = 2016 + 11;

/** Block 0 of mainnet, which the file does not have. */
const GENESIS: Uint8Array = encodeBitcoinHeader({
  version: 1,
  previous: new Uint8Array(32),
  merkleRoot: fromHex('3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a'),
  time: 1_231_006_505,
  bits: 0x1d00ffff,
  nonce: 2_083_236_893,
});

/** Headers of heights 0 … 32,260, by height. */
function readHeaders(data: SharedData): Uint8Array[] {
  const bytes = data.bytes(FILE);
  expectSame(bytes.length, LAST * 80);
  return [GENESIS, ...Array.from({ length: LAST }, (_, i) => bytes.slice(i * 80, i * 80 + 80))];
}

/** A chain spec of mainnet with its hVM genesis at a height, through the real parser. */
function specAt(headers: readonly Uint8Array[], genesisHeight: number): ChainSpec {
  const json = JSON.parse(readFileSync(new URL('../../configs/regtest.json', import.meta.url), 'utf8'));
  const { genesis } = json as { genesis: { bitcoin: object; tunnel: { vault: string } } };
  const vault = scriptToAddress(addressToScript(genesis.tunnel.vault, 'regtest') as Uint8Array, 'mainnet');
  const bitcoin = {
    ...genesis.bitcoin,
    network: 'mainnet',
    genesisHeight,
    genesisHeader: toHex(headers[genesisHeight] as Uint8Array),
    headersBefore: headers.slice(genesisHeight - BEFORE, genesisHeight).map(toHex),
    unspent: { hashSerialized: '00'.repeat(32) },
  };
  return parseChainSpec({ ...json, genesis: { ...genesis, bitcoin, tunnel: { ...genesis.tunnel, vault } } });
}

const openAt = async (headers: readonly Uint8Array[], genesisHeight: number): Promise<HeaderChain> =>
  openHeaderChain(await openMemoryStore(), specAt(headers, genesisHeight));

/** Every header above the hVM genesis goes in, the last one is the tip, and its work is the sum of all. */
async function whole(headers: readonly Uint8Array[], genesisHeight: number): Promise<void> {
  const chain = await openAt(headers, genesisHeight);
  const above = headers.slice(genesisHeight + 1);
  await chain.add(above);
  expectSame(chain.best().height, LAST);
  expectSame(toDisplay(chain.best().hash), toDisplay(hashBitcoinHeader(headers[LAST] as Uint8Array)));
  expectSame(
    chain.best().work,
    above.reduce((sum, header) => sum + workOf(toTarget(decodeBitcoinHeader(header).bits) as bigint), 0n),
  );
}

async function retargets(headers: readonly Uint8Array[], report: Report): Promise<void> {
  const ancestor = (height: number): BitcoinHeader => decodeBitcoinHeader(headers[height] as Uint8Array);
  for (let height = PERIOD; height <= LAST; height += PERIOD) {
    await report.check(`retarget at ${height}`, () => {
      const { time, bits } = ancestor(height);
      expectSame(requiredBits('mainnet', { height, time, ancestor }), bits);
    });
  }
}

const MUTATIONS: Record<keyof BitcoinHeader, (header: BitcoinHeader) => Partial<BitcoinHeader>> = {
  version: ({ version }) => ({ version: version + 1 }),
  previous: ({ previous }) => ({ previous: previous.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) }),
  merkleRoot: ({ merkleRoot }) => ({ merkleRoot: merkleRoot.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) }),
  time: ({ time }) => ({ time: time + 1 }),
  bits: ({ bits }) => ({ bits: bits - 1 }),
  nonce: ({ nonce }) => ({ nonce: (nonce + 1) >>> 0 }),
};

async function refusal(chain: HeaderChain, header: Uint8Array): Promise<string> {
  try {
    await chain.add([header]);
  } catch (error) {
    if (isHemidError(error)) return (error.details['rule'] as string | undefined) ?? error.code;
    throw error;
  }
  throw new Error(`the changed header ${toDisplay(hashBitcoinHeader(header))} was accepted`);
}

/** What every header above the hVM genesis is refused for once one field of it is changed. */
async function mutations(headers: readonly Uint8Array[], report: Report): Promise<void> {
  const genesisHeight = 30_000;
  const expected: Record<keyof BitcoinHeader, string> = {
    version: 'proof of work',
    previous: 'bitcoin/header-orphan',
    merkleRoot: 'proof of work',
    time: 'proof of work',
    bits: 'bits are not what the difficulty rule requires',
    nonce: 'proof of work',
  };
  const chain = await openAt(headers, genesisHeight);
  await chain.add(headers.slice(genesisHeight + 1));
  const tip = chain.best().hash;
  for (const field of Object.keys(MUTATIONS) as (keyof BitcoinHeader)[]) {
    await report.check(`each of ${LAST - genesisHeight} headers with another ${field} is refused`, async () => {
      for (const bytes of headers.slice(genesisHeight + 1)) {
        const header = decodeBitcoinHeader(bytes);
        const changed = encodeBitcoinHeader({ ...header, ...MUTATIONS[field](header) });
        expectSame(await refusal(chain, changed), expected[field]);
      }
      expectSame(toDisplay(chain.best().hash), toDisplay(tip));
    });
  }
  await report.check('a header not after the median of its ancestors is refused for its time', async () => {
    const header = decodeBitcoinHeader(headers[LAST] as Uint8Array);
    const times = headers.slice(LAST - 11, LAST).map((bytes) => decodeBitcoinHeader(bytes).time);
    const median = times.sort((a, b) => a - b)[5] as number;
    expectSame(await refusal(chain, encodeBitcoinHeader({ ...header, time: median })), 'time is not after the median of its ancestors');
    expectSame(await refusal(chain, encodeBitcoinHeader({ ...header, time: median + 1 })), 'proof of work');
  });
}

interface RetargetVectors {
  mainnetRetargetRealPairs: Record<string, string | Record<string, string>>;
}

/** Pairs of mainnet: the first and the last header of a period, and the one that retargets. */
async function realPairs(data: SharedData, report: Report): Promise<void> {
  const { mainnetRetargetRealPairs } = data.json<RetargetVectors>('vectors/hvm.json');
  const pairs = Object.entries(mainnetRetargetRealPairs).filter((entry): entry is [string, Record<string, string>] => typeof entry[1] !== 'string');
  await report.check('vectors/hvm.json has real retarget pairs', () => expectSame(pairs.length > 0, true));
  for (const [name, pair] of pairs) {
    await report.check(`real retarget ${name}`, () => {
      const known = new Map<number, BitcoinHeader>();
      for (const [key, value] of Object.entries(pair)) {
        const height = /_(\d+)$/.exec(key)?.[1];
        if (height !== undefined) known.set(Number(height), decodeBitcoinHeader(fromHex(value)));
      }
      const height = Math.max(...known.keys());
      const header = known.get(height) as BitcoinHeader;
      const bits = requiredBits('mainnet', { height, time: header.time, ancestor: (h) => known.get(h) as BitcoinHeader });
      expectSame(`0x${bits.toString(16)}`, pair['expectedBits']);
      expectSame(bits, header.bits);
      expectSame(hasProofOfWork('mainnet', hashBitcoinHeader(encodeBitcoinHeader(header)), bits), true);
    });
  }
}

/** The header chain on real headers of mainnet. */
export async function headerCases(data: SharedData, report: Report): Promise<void> {
  const headers = readHeaders(data);
  await report.check('the file begins behind the genesis of mainnet', () =>
    expectSame(toDisplay(decodeBitcoinHeader(headers[1] as Uint8Array).previous), toDisplay(hashBitcoinHeader(GENESIS))),
  );
  await report.check('hVM genesis at 30000: headers 30001 … 32260 are valid', () => whole(headers, 30_000));
  await report.check(`hVM genesis at ${BEFORE + 1}: all headers above it are valid`, () => whole(headers, BEFORE + 1));
  await retargets(headers, report);
  await mutations(headers, report);
  await realPairs(data, report);
}
