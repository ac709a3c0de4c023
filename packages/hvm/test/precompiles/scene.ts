import { type BitcoinView, type ChainSpec, concat, scriptToAddress, toDigits, toDisplay } from '@hemid/protocol';
import { type BitcoinLab, type BitcoinLabOptions, createBitcoinLab, type LabOutput, type LabTransaction, labTransaction } from '@hemid/testkit';
import { bindPrecompile, type Precompile } from '../../src/index.ts';

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte);
const p2wpkh = (byte: number): Uint8Array => concat(Uint8Array.of(0, 20), filled(20, byte));

/** Output scripts of the scene. */
export const SCRIPT = {
  alice: p2wpkh(0xa1),
  bob: concat(Uint8Array.of(0x51, 32), filled(32, 0xb0)),
  carol: concat(Uint8Array.of(0xa9, 0x14), filled(20, 0xca), Uint8Array.of(0x87)),
  opReturn: Uint8Array.of(0x6a, 4, 0xde, 0xad, 0xbe, 0xef),
  tooLong: filled(10_001, 0x51),
  longest: filled(10_000, 0x51),
};

export const addressOf = (script: Uint8Array): string => scriptToAddress(script, 'regtest') ?? '';
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Integers as hex, big-endian, written out beside the code under test. */
export const u8 = (value: number): string => value.toString(16).padStart(2, '0');
export const u16 = (value: number): string => value.toString(16).padStart(4, '0');
export const u32 = (value: number): string => value.toString(16).padStart(8, '0');
export const u64 = (value: number): string => value.toString(16).padStart(16, '0');
export const digits: (bytes: Uint8Array) => string = toDigits;

/** OP_RETURN outputs in front of Carol's, so that her output index needs more than 16 bits. */
const BURNT = 65_600;
export const CAROL_VOUT = BURNT;

/** What happened on the scene's Bitcoin. */
export interface Scene {
  lab: BitcoinLab;
  spec: ChainSpec;
  /** Light tip 7, index tip 5. */
  view: BitcoinView;
  /** Of blocks 0 … 7, internal order. */
  hashes: Uint8Array[];
  /** txids as inputs of precompiles, hex in display order. */
  txid: Record<'coinbase' | 'rich' | 'plain' | 'many' | 'huge' | 'orphan' | 'late' | 'nobody', string>;
  rich: LabTransaction;
  huge: LabTransaction;
}

/**
 * Five indexed blocks: the first coinbase pays Alice (5,000), Bob (6,000) and burns; `rich` (block 2) spends both, with
 * witnesses and every kind of output; `plain` (block 3) spends its first output; `many` (block 4) burns 65,600 times,
 * then pays Carol; `huge` (block 5) spends that with more of everything than 16 bits count; `orphan` (block 5) spends
 * a coin nobody knows. `late` is in block 6, which is not indexed yet.
 */
export async function openScene(options: BitcoinLabOptions = {}): Promise<Scene> {
  const lab = await createBitcoinLab(options);
  const hashes = [lab.headers.genesis.hash];
  const mine = async (transactions: LabTransaction[] = [], reward?: LabOutput[]): Promise<void> => {
    hashes.push(await lab.mine({ transactions, ...(reward === undefined ? {} : { reward }) }));
  };
  await mine(
    [],
    [
      { script: SCRIPT.alice, valueSats: 5_000n },
      { script: SCRIPT.bob, valueSats: 6_000n },
      { script: SCRIPT.opReturn, valueSats: 1n },
      { script: SCRIPT.carol, valueSats: 2_100_000_000_000_000n },
    ],
  );
  const coinbase = lab.coinbase(hashes[1] as Uint8Array);

  const rich = labTransaction(
    [
      {
        txid: coinbase,
        vout: 0,
        sequence: 0xfffffffd,
        scriptSig: filled(70, 0xab),
        witness: [filled(32, 0x11), new Uint8Array(), filled(300, 0x22)],
      },
      { txid: coinbase, vout: 1, sequence: 5 },
    ],
    [
      { script: SCRIPT.alice, valueSats: 7_000n },
      { script: SCRIPT.opReturn, valueSats: 8n },
      { script: SCRIPT.tooLong, valueSats: 9n },
      { script: SCRIPT.longest, valueSats: 10n },
      { script: SCRIPT.bob, valueSats: 11n },
    ],
    { version: 0xfffffffe, locktime: 0x01020304 },
  );
  await mine([rich]);

  const plain = labTransaction([{ txid: rich.getHash(), vout: 0 }], [{ script: SCRIPT.alice, valueSats: 6_500n }], { version: 1 });
  await mine([plain]);

  const burnt = Array.from({ length: BURNT }, () => ({ script: Uint8Array.of(0x6a), valueSats: 0n }));
  const many = labTransaction([{ txid: rich.getHash(), vout: 4 }], [...burnt, { script: SCRIPT.carol, valueSats: 9_999n }]);
  await mine([many]);

  const toCarol = (valueSats: bigint): LabOutput[] => [{ script: SCRIPT.carol, valueSats }];
  const manyElements = Array.from({ length: 65_600 }, () => new Uint8Array());
  const huge = labTransaction(
    [
      { txid: many.getHash(), vout: CAROL_VOUT, scriptSig: filled(70_000, 0x51), witness: [filled(70_000, 0x33)] },
      { txid: plain.getHash(), vout: 0, witness: manyElements },
    ],
    toCarol(1n),
  );
  const orphan = labTransaction(
    [
      { txid: coinbase, vout: 3 },
      { txid: filled(32, 0x77), vout: 0 },
    ],
    toCarol(2n),
  );
  await mine([huge, orphan]);

  const late = labTransaction([{ txid: orphan.getHash(), vout: 0 }], toCarol(3n));
  await mine([late]);
  await mine();

  const display = (transaction: LabTransaction): string => toDisplay(transaction.getHash());
  const txid = {
    coinbase: toDisplay(coinbase),
    rich: display(rich),
    plain: display(plain),
    many: display(many),
    huge: display(huge),
    orphan: display(orphan),
    late: display(late),
    nobody: 'ab'.repeat(32),
  };
  return { lab, spec: lab.spec, view: await lab.stand(hashes[7] as Uint8Array), hashes, txid, rich, huge };
}

export interface Outcome {
  /** Hex without 0x; `undefined` when the call fails. */
  output: string | undefined;
  gasUsed: bigint;
}

const PLENTY = 1_000_000n;

/** Calls a precompile with gas to spare. */
export async function call<I>(
  precompile: Precompile<I>,
  input: Uint8Array | string,
  { view, spec, gas = PLENTY }: { view: BitcoinView; spec: ChainSpec; gas?: bigint },
): Promise<Outcome> {
  const data = typeof input === 'string' ? Uint8Array.from(Buffer.from(input, 'hex')) : input;
  const { function: run } = bindPrecompile(precompile, view, spec);
  const { returnValue, executionGasUsed, exceptionError } = await run({ data, gasLimit: gas } as never);
  return { output: exceptionError === undefined ? digits(returnValue) : undefined, gasUsed: executionGasUsed };
}

/** The three outcomes with their gas, for `toEqual`. */
export const value = (output: string, gas: bigint): Outcome => ({ output, gasUsed: gas });
export const empty = (gas: bigint): Outcome => ({ output: '', gasUsed: gas });
export const failed: Outcome = { output: undefined, gasUsed: PLENTY };
