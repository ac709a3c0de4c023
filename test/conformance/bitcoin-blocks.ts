import { type BitcoinBlock, merkleRoot, parseBlock, publicationsIn } from '@hemid/bitcoin';
import { equal, isHemidError, sha256d, toDigits, toDisplay } from '@hemid/protocol';
import { serialiseBlock, serialiseTransaction } from './bitcoin-serialise.ts';
import type { SharedData } from './data.ts';
import { expectHex, expectSame } from './expect.ts';
import type { Report } from './report.ts';

/** By the name of its file, what a block must show of itself. */
interface BlockCase {
  file: string;
  height?: number;
  hash?: string;
  publications?: number;
}

const CASES: BlockCase[] = [
  ...[300_025, 426_884, 482_683, 898_352, 928_828, 1_087_400].map((height) => ({ file: `${height}.raw`, height })),
  ...[
    { hash: '0000000000000006200009cf36af2bbcb1362b887b4e2625113b6b44327435b8', publications: 3448 },
    { hash: '00000000055a5c34a021ab3b1f3f6f0304b403775feb9e5a235dc7f724c5833f', publications: 3521 },
  ].map((block) => ({ file: `testnet3-${block.hash}.raw`, ...block })),
];

/** The height that a coinbase states (BIP34): a push at the start of its script. */
function heightOf(block: BitcoinBlock): number {
  const [size = 0, ...rest] = block.transactions[0]?.inputs[0]?.scriptSig ?? [];
  return rest.slice(0, size).reduceRight((value, byte) => value * 256 + byte, 0);
}

function expectInvalid(raw: Uint8Array, what: string): void {
  try {
    parseBlock(raw);
  } catch (error) {
    if (isHemidError(error, 'bitcoin/block-invalid')) return;
    throw error;
  }
  throw new Error(`it was accepted with ${what}`);
}

async function blockCase({ file, height, hash, publications }: BlockCase, data: SharedData, report: Report): Promise<void> {
  const raw = (): Uint8Array => data.bytes(`bitcoin/blocks/${file}`);
  await report.check(`block ${file} parses, and is itself when serialised again`, () => {
    const bytes = raw();
    const block = parseBlock(bytes);
    if (!equal(serialiseBlock(block.header, block.transactions), bytes)) throw new Error('the serialisation differs');
    if (height !== undefined) expectSame(heightOf(block), height);
    if (hash !== undefined) expectSame(toDisplay(block.hash), hash);
  });
  await report.check(`block ${file} matches its merkle root`, () => {
    const block = parseBlock(raw());
    const ids = block.transactions.map((transaction) =>
      sha256d(serialiseTransaction({ ...transaction, inputs: transaction.inputs.map((input) => ({ ...input, witness: [] })) })),
    );
    expectSame(
      block.transactions.map(({ txid }) => toDigits(txid)),
      ids.map(toDigits),
    );
    expectHex(merkleRoot(ids).root, toDigits(block.header.subarray(36, 68)));
  });
  await report.check(`block ${file} is refused when it is damaged`, () => {
    const bytes = raw();
    const at = (position: number): Uint8Array => bytes.map((byte, i) => (i === position ? byte ^ 1 : byte));
    expectInvalid(at(40), 'another merkle root');
    expectInvalid(at(bytes.length - 1), 'another lock time of its last transaction');
    expectInvalid(bytes.subarray(0, -1), 'its last byte cut off');
    expectInvalid(Uint8Array.from([...bytes, 0]), 'a byte more');
  });
  await witnessCase(file, raw, report);
  if (publications === undefined) return;
  await report.check(`block ${file} has ${publications} publications`, () => expectSame(publicationsIn(parseBlock(raw()), 0).length, publications));
}

/** The witness commitment binds what the merkle root does not. */
async function witnessCase(file: string, raw: () => Uint8Array, report: Report): Promise<void> {
  const { header, transactions } = parseBlock(raw());
  const victim = transactions.find(({ isCoinbase, inputs }) => !isCoinbase && inputs.some(({ witness }) => witness.length > 0));
  if (victim === undefined) return;
  await report.check(`block ${file} with another witness is refused`, () => {
    const inputs = victim.inputs.map((input) => ({ ...input, witness: input.witness.map((item) => item.map((byte) => byte ^ 1)) }));
    const changed = transactions.map((transaction) => (transaction === victim ? { ...victim, inputs } : transaction));
    expectInvalid(serialiseBlock(header, changed), 'another witness');
  });
}

/** Whole blocks of mainnet and of the public test network. */
export async function blockCases(data: SharedData, report: Report): Promise<void> {
  for (const block of CASES) await report.check(`block ${block.file}`, () => blockCase(block, data, report));
}
