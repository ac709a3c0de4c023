import { type BitcoinRpc, btcFromSats, satsFromBtc } from '@hemid/bitcoin';
import { type BitcoinOutput, concat, equal, fromHex, isHemidError, toDigits } from '@hemid/protocol';
import type { DepositPayment } from '@hemid/tunnel';
import { Psbt, Transaction } from 'bitcoinjs-lib';
import { fail } from './errors.ts';

/** Which coins of a bitcoind's wallet pay, if not any. */
export interface Funding {
  /** A Bitcoin address or an output descriptor: its coins alone, and for an address the change goes back to it. */
  from: string | undefined;
  /** These coins alone. */
  utxo: { txid: string; vout: number }[] | undefined;
  /** Sats per vbyte; bitcoind's estimate when left out. */
  feeRate: number | undefined;
}

/** Sats that leave as Bitcoin's fee, and the PSBT (base64, BIP-174), unsigned. */
export interface Funded {
  psbt: string;
  feeSats: bigint;
}

/** What a funded payment is held to. */
export interface FundingTerms {
  /** Script that the change goes back to, where it was said. */
  from: Uint8Array | undefined;
  /** Scripts of all vaults. */
  vaults: readonly Uint8Array[];
}

interface Coin {
  txid: string;
  vout: number;
  amount: unknown;
}

const MAX_CONFIRMATIONS = 9_999_999;
/** Addresses of a descriptor with a `*` that are looked at. */
const RANGE = 1_000;
const INSUFFICIENT = -4;
/** "psbt" and a byte of no text. */
const PSBT_MAGIC = fromHex('70736274ff');

/** A PSBT of a payment without inputs, for a wallet that adds its own. */
export function toUnfundedPsbt({ outputs }: DepositPayment): string {
  const transaction = new Transaction();
  transaction.version = 2;
  for (const { script, valueSats } of outputs) transaction.addOutput(script, valueSats);
  const raw = transaction.toBuffer();
  // By hand: bitcoinjs-lib writes a byte too many when there are no inputs, and bitcoind refuses that. An empty map for each output.
  const psbt = concat(PSBT_MAGIC, Uint8Array.of(1, 0, raw.length), raw, new Uint8Array(1 + outputs.length));
  return Buffer.from(psbt).toString('base64');
}

async function addressesOf(rpc: BitcoinRpc, from: string): Promise<string[]> {
  if (!from.includes('(')) return [from];
  const { descriptor, isrange } = (await rpc('getdescriptorinfo', [from])) as { descriptor: string; isrange: boolean };
  return (await rpc('deriveaddresses', isrange ? [descriptor, RANGE - 1] : [descriptor])) as string[];
}

/** The coins to pay with, the most valuable first; `undefined` leaves the choice to bitcoind. */
async function candidates(rpc: BitcoinRpc, { from, utxo }: Funding): Promise<{ coins: Omit<Coin, 'amount'>[]; isAll: boolean } | undefined> {
  if (utxo !== undefined) return { coins: utxo, isAll: true };
  if (from === undefined) return undefined;
  const coins = (await rpc('listunspent', [1, MAX_CONFIRMATIONS, await addressesOf(rpc, from)])) as Coin[];
  if (coins.length === 0) throw fail('node/config', `the wallet knows no confirmed coin of ${from}: import it there first (importdescriptors)`);
  return { coins: coins.sort((a, b) => Number(satsFromBtc(b.amount) - satsFromBtc(a.amount))), isAll: false };
}

const isInsufficient = (error: unknown): boolean => isHemidError(error, 'bitcoin/rpc') && error.details['rpcCode'] === INSUFFICIENT;

/**
 * Lets the wallet of a bitcoind, a watch-only one too, choose inputs, change and fee of a payment.
 *
 * @throws `node/config` when the wallet has not got enough, and what bitcoind refuses.
 */
export async function fundDeposit(rpc: BitcoinRpc, { outputs, address }: DepositPayment, funding: Funding): Promise<Funded> {
  const [vault, name] = outputs;
  const wanted = [{ [address]: btcFromSats(vault.valueSats) }, { data: toDigits(pushedBy(name.script)) }];
  const change = funding.from === undefined || funding.from.includes('(') ? {} : { changeAddress: funding.from };
  const rate = funding.feeRate === undefined ? {} : { fee_rate: funding.feeRate };
  // The change last: bitcoind would put it anywhere.
  const options = { changePosition: outputs.length, replaceable: true, ...change, ...rate };
  const create = async (inputs: Omit<Coin, 'amount'>[], more: object): Promise<Funded> => {
    const chosen = inputs.map(({ txid, vout }) => ({ txid, vout }));
    const { psbt, fee } = (await rpc('walletcreatefundedpsbt', [chosen, wanted, 0, { ...options, ...more }, true])) as { psbt: string; fee: unknown };
    return { psbt, feeSats: satsFromBtc(fee) };
  };
  const from = await candidates(rpc, funding);
  if (from === undefined) return create([], {});
  for (let count = from.isAll ? from.coins.length : 1; count <= from.coins.length; count += 1) {
    try {
      return await create(from.coins.slice(0, count), { add_inputs: false });
    } catch (error) {
      if (!isInsufficient(error) || count === from.coins.length) throw error;
    }
  }
  throw fail('node/config', 'no coin was named');
}

/** What an OP_RETURN script of one push carries. */
const pushedBy = (script: Uint8Array): Uint8Array => script.slice(script[1] === 0x4c ? 3 : 2);

/** The outputs of a PSBT, and those that it spends. */
function readPsbt(text: string): Record<'outputs' | 'spent', BitcoinOutput[]> {
  const psbt = Psbt.fromBase64(text);
  const toOutput = ({ script, value }: { script: Uint8Array; value: bigint }): BitcoinOutput => ({ script, valueSats: value });
  const spent = psbt.data.inputs.map(({ witnessUtxo, nonWitnessUtxo }, i) => {
    const coin = witnessUtxo ?? (nonWitnessUtxo && Transaction.fromBuffer(nonWitnessUtxo).outs[psbt.txInputs[i]?.index ?? 0]);
    if (coin === undefined)
      throw fail('node/config', `the wallet's PSBT does not say what its input ${i} spends: nothing was paid, ask another wallet`);
    return toOutput(coin);
  });
  return { outputs: psbt.txOutputs.map(toOutput), spent };
}

const sumOf = (outputs: readonly BitcoinOutput[]): bigint => outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n);

/**
 * That a funded PSBT pays what was asked for, at the fee that the wallet said, and nobody else but its change: whoever signs
 * it need not believe the wallet.
 *
 * @throws `node/config` saying what is wrong with it.
 */
export function assertFunded({ psbt, feeSats }: Funded, { outputs: wanted }: DepositPayment, { from, vaults }: FundingTerms): void {
  const { outputs, spent } = readPsbt(psbt);
  const wrong = (what: string) => fail('node/config', `the wallet's PSBT ${what}: nothing was paid, ask another wallet`);
  for (const [i, { script, valueSats }] of wanted.entries()) {
    const is = outputs[i];
    if (is === undefined || !equal(is.script, script) || is.valueSats !== valueSats) throw wrong(`has another output ${i} than the deposit needs`);
  }
  const [change, ...more] = outputs.slice(wanted.length);
  if (more.length > 0) throw wrong(`has ${outputs.length} outputs, and only its change may stand behind the deposit's two`);
  if (change !== undefined && vaults.some((vault) => equal(vault, change.script))) throw wrong('pays its change to the vault');
  if (change !== undefined && from !== undefined && !equal(change.script, from)) throw wrong('pays its change to another address than --from');
  const isOwn = spent.some(({ script }) => vaults.some((vault) => equal(vault, script)));
  if (isOwn) throw fail('node/config', 'the wallet would pay with coins of the vault, which is no deposit: choose others with --from or --utxo');
  const fee = sumOf(spent) - sumOf(outputs);
  if (fee !== feeSats) throw wrong(`pays ${fee} sats to miners, not the ${feeSats} that the wallet said`);
}
