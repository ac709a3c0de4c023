import { parseBlock, publicationsIn, toBitcoinTransaction } from '@hemid/bitcoin';
import {
  abbreviate,
  addressOfKey,
  addressToScript,
  decodeAbbreviated,
  decodeAttributes,
  decodePayout,
  decodeSystemTransaction,
  encodeAbbreviated,
  encodeAttributes,
  encodePayout,
  encodePopScript,
  encodeSystemTransaction,
  fromHex,
  fromKeystoneJson,
  hashAbbreviated,
  hashBitcoinHeader,
  hashTransaction,
  readMiner,
  readPopScript,
  toAttributesTransaction,
  toDigits,
  toDisplay,
  toKeystoneId,
} from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import type { SharedData } from './data.ts';
import { expectHex, expectRefused, expectSame } from './expect.ts';
import { hemiHvm } from './hemi-hvm.ts';
import type { Report } from './report.ts';

interface PopVector {
  name: string;
  /** Where it comes from; for blocks it holds the hash. */
  source: string;
  keystone_json?: Record<string, unknown>;
  abbrev_hex?: string;
  abbrev_hash_internal?: string;
  abbrev_hash_display?: string;
  op_return_script_hex?: string;
  raw_tx_hex?: string;
  rlp_without_type_hex?: string;
  tx_hash?: string;
  gas?: number;
  data_hex?: string;
  txid_display?: string;
  op_return_output_index?: number;
  miner_eth_address?: string;
  pubkey_compressed?: string;
  eth_address?: string;
  p2pkh_address_mainnet?: string;
  p2pkh_address_testnet_regtest?: string;
  p2pkh_script?: string;
  pop_outputs?: number;
  unique_abbrev_hashes?: number;
  serialized_with_magic_hex?: string;
  btc_block_height?: number;
}

interface HvmVectors {
  btcAttrCalldata: { canonicalTip: string; headers: string[]; calldata: string; envelope7c: string; txHash: string }[];
  popPayout: {
    blockRewarded?: number;
    addresses?: string[];
    amounts?: string[];
    calldata?: string;
    to?: string;
    gas?: number;
    data?: string;
    envelope7d: string;
    txHash: string;
  }[];
  btcAttrParserAntiCases: { mutations: { byte?: number; xor?: number; append?: string; truncate?: number; why: string }[] };
  btcAttrEnvelopeGolden: { cases: { to: string | null; gas: number; data: string; envelope: string }[]; reject: string[] };
  hvmGenesis: Record<string, string | { header: string; hash: string } | { header: string; hash: string }[]>;
}

const hex = (text: string): Uint8Array => fromHex(text);

async function keystones(vector: PopVector, report: Report): Promise<void> {
  await report.check(`keystone ${vector.name}`, () => {
    const keystone = abbreviate(fromKeystoneJson(vector.keystone_json));
    expectHex(encodeAbbreviated(keystone), vector.abbrev_hex ?? '');
    expectSame(toDigits(encodeAbbreviated(decodeAbbreviated(hex(vector.abbrev_hex ?? '')))), vector.abbrev_hex);
    expectHex(hashAbbreviated(keystone), vector.abbrev_hash_internal ?? '');
    expectSame(toKeystoneId(hashAbbreviated(keystone)), vector.abbrev_hash_display);
    expectHex(encodePopScript(keystone), vector.op_return_script_hex ?? '');
  });
}

async function popTransaction(vector: PopVector, report: Report): Promise<void> {
  await report.check(`PoP transaction ${vector.name}`, () => {
    const transaction = toBitcoinTransaction(Transaction.fromBuffer(hex(vector.raw_tx_hex ?? '')));
    expectSame(toDisplay(transaction.txid), vector.txid_display);
    const script = transaction.outputs[vector.op_return_output_index ?? 0]?.script ?? new Uint8Array();
    expectHex(script, vector.op_return_script_hex ?? '');
    const keystone = readPopScript(script);
    if (keystone === undefined) throw new Error('no keystone was read');
    expectHex(encodeAbbreviated(keystone), vector.abbrev_hex ?? '');
    expectSame(toKeystoneId(hashAbbreviated(keystone)), vector.abbrev_hash_display);
    const [input] = transaction.inputs;
    expectHex(input && readMiner(input), vector.miner_eth_address ?? '');
  });
}

/** Whole blocks of the public test network: every publication is found. */
async function blockStatistics(vector: PopVector, data: SharedData, report: Report): Promise<void> {
  await report.check(`publications of ${vector.name}`, () => {
    const hash = /[0-9a-f]{64}/.exec(vector.source)?.[0] ?? '';
    const block = parseBlock(data.bytes(`bitcoin/blocks/testnet3-${hash}.raw`));
    expectSame(toDisplay(block.hash), hash);
    const found = publicationsIn(block, 0);
    expectSame(found.length, vector.pop_outputs);
    expectSame(new Set(found.map(({ key }) => toDigits(key.abbreviatedHash))).size, vector.unique_abbrev_hashes);
  });
}

async function popVector(vector: PopVector, data: SharedData, report: Report): Promise<void> {
  if (vector.keystone_json !== undefined) return keystones(vector, report);
  if (vector.pop_outputs !== undefined) return blockStatistics(vector, data, report);
  if (vector.txid_display !== undefined) return popTransaction(vector, report);
  if (vector.serialized_with_magic_hex !== undefined) {
    return report.check(`${vector.name} is refused`, () => {
      expectRefused(() => decodeAbbreviated(hex(vector.serialized_with_magic_hex ?? '').subarray(4)));
      expectSame(readPopScript(hex(vector.op_return_script_hex ?? '')), undefined);
    });
  }
  if (vector.pubkey_compressed !== undefined) {
    return report.check(`key ${vector.name}`, () => {
      expectHex(addressOfKey(hex(vector.pubkey_compressed ?? '')), vector.eth_address ?? '');
      expectHex(addressToScript(vector.p2pkh_address_mainnet ?? '', 'mainnet'), vector.p2pkh_script ?? '');
      expectHex(addressToScript(vector.p2pkh_address_testnet_regtest ?? '', 'regtest'), vector.p2pkh_script ?? '');
    });
  }
  if (vector.rlp_without_type_hex !== undefined) {
    return report.check(vector.name, () => {
      const raw = hex(vector.raw_tx_hex ?? '');
      const transaction = decodeSystemTransaction(raw);
      expectSame(transaction.gas, BigInt(vector.gas ?? 0));
      expectHex(transaction.data, vector.data_hex ?? '');
      expectHex(encodeSystemTransaction(transaction), vector.raw_tx_hex ?? '');
      expectHex(hashTransaction(raw), vector.tx_hash ?? '');
    });
  }
  return report.skip(vector.name, 'another calldata version of the public network, which this chain does not use');
}

async function attributes(vectors: HvmVectors, report: Report): Promise<void> {
  for (const [i, vector] of vectors.btcAttrCalldata.entries()) {
    await report.check(`attributes ${i} (${vector.headers.length} headers)`, () => {
      const value = { tip: hex(vector.canonicalTip), headers: vector.headers.map(hex) };
      expectHex(encodeAttributes(value), vector.calldata);
      const decoded = decodeAttributes(hex(vector.calldata));
      expectHex(decoded.tip, vector.canonicalTip);
      expectSame(decoded.headers.map(toDigits), vector.headers);
      const raw = encodeSystemTransaction(toAttributesTransaction(value));
      expectHex(raw, vector.envelope7c);
      expectHex(hashTransaction(raw), vector.txHash);
    });
  }
  const base = encodeAttributes({ tip: new Uint8Array(32).fill(7), headers: [new Uint8Array(80), new Uint8Array(80)] });
  for (const mutation of vectors.btcAttrParserAntiCases.mutations) {
    await report.check(`attributes mutation: ${mutation.why}`, () => {
      let bytes = base.slice(0, base.length - (mutation.truncate ?? 0));
      if (mutation.byte !== undefined) bytes[mutation.byte] = (bytes[mutation.byte] ?? 0) ^ (mutation.xor ?? 0);
      if (mutation.append !== undefined) bytes = Uint8Array.from([...bytes, ...hex(mutation.append)]);
      expectRefused(() => decodeAttributes(bytes));
    });
  }
}

async function envelopes(vectors: HvmVectors, report: Report): Promise<void> {
  for (const { to, gas, data, envelope } of vectors.btcAttrEnvelopeGolden.cases) {
    await report.check(`envelope 0x7c to ${to ?? 'nobody'}`, () => {
      const transaction = decodeSystemTransaction(hex(envelope));
      expectSame(transaction.to && `0x${toDigits(transaction.to)}`, to ?? undefined);
      expectSame(transaction.gas, BigInt(gas));
      expectHex(transaction.data, data);
      expectHex(encodeSystemTransaction(transaction), envelope);
      expectRefused(() => decodeSystemTransaction(Uint8Array.from([...hex(envelope), 0])));
    });
  }
  for (const text of vectors.btcAttrEnvelopeGolden.reject.filter((one) => /^[0-9a-f]+$/.test(one))) {
    await report.check(`envelope ${text} is refused`, () => expectRefused(() => decodeSystemTransaction(hex(text))));
  }
}

async function payouts(vectors: HvmVectors, report: Report): Promise<void> {
  for (const [i, vector] of vectors.popPayout.entries()) {
    await report.check(`payout ${i}`, () => {
      const transaction = decodeSystemTransaction(hex(vector.envelope7d));
      expectHex(encodeSystemTransaction(transaction), vector.envelope7d);
      expectHex(hashTransaction(hex(vector.envelope7d)), vector.txHash);
      if (vector.calldata === undefined) return;
      const payout = {
        blockRewarded: BigInt(vector.blockRewarded ?? 0),
        miners: (vector.addresses ?? []).map(hex),
        amounts: (vector.amounts ?? []).map(BigInt),
      };
      expectHex(encodePayout(payout), vector.calldata);
      expectHex(transaction.data, vector.calldata);
      expectSame(decodePayout(transaction.data).amounts, payout.amounts);
    });
  }
}

async function genesisHeaders(vectors: HvmVectors, report: Report): Promise<void> {
  for (const [name, value] of Object.entries(vectors.hvmGenesis)) {
    if (typeof value === 'string') continue;
    for (const { header, hash } of Array.isArray(value) ? value : [value]) {
      await report.check(`header hash ${name} ${hash}`, () => expectSame(toDisplay(hashBitcoinHeader(hex(header))), hash));
    }
  }
}

/** Suite `hemi`: the wire formats of the public Hemi network. */
export async function hemiSuite(data: SharedData, report: Report): Promise<void> {
  const { vectors } = data.json<{ vectors: PopVector[] }>('vectors/pop.json');
  for (const vector of vectors) await popVector(vector, data, report);
  const hvm = data.json<HvmVectors>('vectors/hvm.json');
  await attributes(hvm, report);
  await envelopes(hvm, report);
  await payouts(hvm, report);
  await genesisHeaders(hvm, report);
  await hemiHvm(data, report);
}
