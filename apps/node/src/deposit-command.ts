import { type BitcoinRpc, btcFromSats, createBitcoindRpc, createRpcSource, satsFromBtc } from '@hemid/bitcoin';
import { createJsonRpc } from '@hemid/network';
import { addressToScript, type ChainSpec, fromHex, type Recipient, readL2Address, rulesAt, toChecksumAddress, toHex } from '@hemid/protocol';
import { systemClock } from '@hemid/runtime';
import { type DepositPayment, toDepositPayment } from '@hemid/tunnel';
import { renderUnicodeCompact } from 'uqr';
import { z } from 'zod';
import { assertFunded, type Funded, fundDeposit, toUnfundedPsbt } from './deposit-funding.ts';
import { fail } from './errors.ts';
import { readChainSpec } from './spec-template.ts';

const RPC_TIMEOUT_MS = 60_000;
/** What an OP_RETURN of 80 bytes has beside the address. */
const MAX_PAYLOAD = 60;

const recipient = z.string().transform((text, context) => {
  const address = readL2Address(text);
  if (address !== undefined) return address;
  const isAddress = /^0x[0-9a-fA-F]{40}$/.test(text);
  const message = isAddress ? 'has a wrong checksum (EIP-55): it is mistyped' : 'must be 0x and 40 hex digits';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** `0.01`, `0.01btc`, `1000000`, `1000000sats`: with a point it is BTC, without one sats, unless a unit says so. */
const amount = z
  .string()
  .regex(/^([0-9]{1,16}( ?sats?)?|[0-9]{1,8}\.[0-9]{1,8}( ?btc)?|[0-9]{1,8} ?btc)$/i, 'must look like 0.01 (BTC), 1btc or 1000000 (sats)')
  .transform((text) => {
    const digits = text.replace(/[a-z ]/gi, '');
    return /\.|btc/i.test(text) ? satsFromBtc(digits) : BigInt(digits);
  });

const outpoints = z.string().transform((text, context) => {
  const parts = text.split(',').map((part) => /^([0-9a-f]{64}):([0-9]{1,6})$/.exec(part.trim()));
  const found = parts.map((match) => ({ txid: match?.[1] ?? '', vout: Number(match?.[2]) }));
  if (parts.every((match) => match !== null)) return found;
  context.addIssue({ code: 'custom', message: 'must be <txid>:<vout>, several with commas' });
  return z.NEVER;
});

/** `hemid tunnel deposit`. */
export const depositConfig = z.strictObject({
  chain: z.string().describe('chain spec file'),
  to: recipient.describe('L2 address that is credited'),
  amount: amount.describe('what the vault is paid: 0.01 or 1btc is BTC, 1000000 or 1000000sats is sats; the deposit fee comes out of it'),
  payload: z
    .string()
    .regex(new RegExp(`^0x([0-9a-fA-F]{2}){0,${MAX_PAYLOAD}}$`), `must be 0x and at most ${MAX_PAYLOAD} bytes of hex`)
    .transform(fromHex)
    .optional()
    .describe('calldata for the recipient, if it is a contract'),
  rpc: z.url().optional().describe('JSON-RPC URL of a node of the chain: it is asked whether the vault of the chain spec is still the one in force'),
  bitcoind: z
    .url()
    .optional()
    .describe('RPC URL of a bitcoind whose wallet pays, e.g. http://user:password@127.0.0.1:8332; a watch-only wallet will do'),
  bitcoindCookie: z.string().optional().describe("path of bitcoind's .cookie file"),
  wallet: z.string().optional().describe('name of that wallet; not needed while bitcoind has one wallet loaded'),
  from: z.string().optional().describe('Bitcoin address or output descriptor whose coins pay; any coins of the wallet when left out'),
  utxo: outpoints.optional().describe('coins that pay: <txid>:<vout>, several with commas'),
  feeRate: z.coerce.number().positive().max(10_000).optional().describe("sats per vbyte; bitcoind's estimate when left out"),
  json: z.boolean().default(false).describe('print one JSON object, for programs'),
});

export type DepositConfig = Readonly<z.output<typeof depositConfig>>;

/** That a node of the chain knows this spec, and has the same vault in force. */
async function checkWithNode(url: string, spec: ChainSpec, payment: DepositPayment): Promise<void> {
  const call = createJsonRpc(url, { timeoutMs: RPC_TIMEOUT_MS });
  const genesis = (await call('eth_getBlockByNumber', ['0x0', false])) as { mixHash: string } | null;
  if (genesis?.mixHash !== toHex(spec.genesisHash)) throw fail('node/config', `${url} is a node of another chain than --chain`);
  const { vaults } = (await call('hemi_getReserves', [])) as { vaults: { address: string }[] };
  if (vaults[0]?.address === payment.address) return;
  throw fail('node/config', `the vault in force is ${vaults[0]?.address}, but --chain says ${payment.address}: fetch the chain's newest spec`);
}

function connect(url: string, { bitcoindCookie, wallet }: DepositConfig): BitcoinRpc {
  const endpoint = new URL(url);
  if (wallet !== undefined) endpoint.pathname = `/wallet/${encodeURIComponent(wallet)}`;
  const login = bitcoindCookie === undefined || endpoint.username !== '' ? {} : { cookieFile: bitcoindCookie };
  return createBitcoindRpc({ url: endpoint.href, timeoutMs: RPC_TIMEOUT_MS, ...login });
}

interface Wanted {
  spec: ChainSpec;
  payment: DepositPayment;
  recipient: Recipient;
}

/** The PSBT that bitcoind funds, checked again; `undefined` without a bitcoind. */
async function fund(config: DepositConfig, { spec, payment }: Wanted): Promise<Funded | undefined> {
  const { bitcoind, from, utxo, feeRate } = config;
  if (from !== undefined && utxo !== undefined) throw fail('node/config', 'give --from or --utxo, not both');
  if (bitcoind === undefined) {
    if (from === undefined && utxo === undefined) return undefined;
    throw fail('node/config', '--from and --utxo need --bitcoind: its wallet knows the coins');
  }
  const rpc = connect(bitcoind, config);
  const { network } = spec.genesis.bitcoin;
  await createRpcSource(rpc).checkNetwork(network);
  const funded = await fundDeposit(rpc, payment, { from, utxo, feeRate });
  assertFunded(funded, payment, { from: from === undefined ? undefined : addressToScript(from, network), vaults: rulesNow(spec).vaults });
  return funded;
}

const rulesNow = (spec: ChainSpec): ReturnType<typeof rulesAt> => rulesAt(spec, BigInt(Math.floor(systemClock.now() / 1000)));

function describe({ spec, payment, recipient: named }: Wanted, funded: Funded | undefined): object {
  const [vault, name] = payment.outputs;
  return {
    network: spec.genesis.bitcoin.network,
    vault: payment.address,
    sats: vault.valueSats.toString(),
    creditedSats: payment.creditedSats.toString(),
    recipient: toChecksumAddress(named.address),
    payload: toHex(named.payload),
    recipientScript: toHex(name.script),
    uri: payment.uri,
    isFunded: funded !== undefined,
    feeSats: funded === undefined ? null : funded.feeSats.toString(),
    psbt: funded?.psbt ?? toUnfundedPsbt(payment),
  };
}

function tell({ spec, payment, recipient: named }: Wanted, funded: Funded | undefined): string {
  const { genesis } = spec;
  const [vault, name] = payment.outputs;
  const depth = genesis.tunnel.confirmations;
  const what =
    funded === undefined
      ? 'PSBT without inputs: a wallet adds them, its change behind these two outputs, and the signatures'
      : `PSBT, unsigned, with ${funded.feeSats} sats for Bitcoin's fee: sign and send it, e.g. walletprocesspsbt, finalizepsbt, sendrawtransaction`;
  return `deposit to "${genesis.name}", paid on Bitcoin's ${genesis.bitcoin.network}

  credits  ${toChecksumAddress(named.address)} with ${payment.creditedSats} sats${named.payload.length > 0 ? `, and calls it with ${toHex(named.payload)}` : ''}
  once     ${depth} Bitcoin blocks confirm it; hemi_getDeposit <txid> tells how far it is

one Bitcoin transaction must have both outputs within its first 8, and spend no coin of the vault:

  vault      ${payment.address}  ${btcFromSats(vault.valueSats)} BTC
  recipient  OP_RETURN, 0 BTC, script ${toHex(name.script).slice(2)}

BIP-21 URI, for wallets that know req-op_return_raw; never pay the vault without the recipient, it is credited to nobody:

  ${payment.uri}

${renderUnicodeCompact(payment.uri, { border: 2 })}

${what}:

${funded?.psbt ?? toUnfundedPsbt(payment)}`;
}

/**
 * `hemid tunnel deposit`: what a Bitcoin wallet has to pay for a deposit; sends nothing. @returns what to print.
 *
 * @throws `node/config` and `tunnel/deposit` for what would be no deposit.
 */
export async function runTunnelDeposit(config: DepositConfig): Promise<string> {
  const spec = readChainSpec(config.chain);
  const named = { address: config.to, payload: config.payload ?? new Uint8Array() };
  const terms = { rules: rulesNow(spec), network: spec.genesis.bitcoin.network };
  const wanted = { spec, recipient: named, payment: toDepositPayment({ recipient: named, sats: config.amount }, terms) };
  if (config.rpc !== undefined) await checkWithNode(config.rpc, spec, wanted.payment);
  const funded = await fund(config, wanted);
  return config.json ? JSON.stringify(describe(wanted, funded)) : tell(wanted, funded);
}
